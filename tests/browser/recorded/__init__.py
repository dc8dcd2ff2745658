"""Recorded cases in real pages: the same observation as from a FakeBrowser, judged the same way."""
