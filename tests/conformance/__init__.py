"""Recorded cases of the two incumbents, run against the core on a browser made of Python.

    python -m tests.conformance tests/conformance/cases/customerio.json --area storage

Driving a case makes an observation (`drive_customerio`, `drive_snowplow`); judging compares it with
what the case expects (`customerio`, `snowplow`, `runner`). Neither knows the other.
"""
