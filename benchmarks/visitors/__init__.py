"""What the tracker costs visitors, beside the two that it replaces: `python3 build.py bench`.

One run in one browser with the real collector; the trackers take turns in every round.
"""
