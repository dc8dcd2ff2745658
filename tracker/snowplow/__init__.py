"""Snowplow trackers: their options, sessions, events and calls."""
