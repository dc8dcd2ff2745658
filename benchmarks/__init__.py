"""Measurements: each prints its figures and the machine's."""
