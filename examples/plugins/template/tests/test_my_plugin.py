from my_plugin import MyPlugin

from tracker.testing import FakeSite


def test_events_say_that_the_plugin_saw_them() -> None:
    site = FakeSite(plugins=[MyPlugin()])
    site.load()
    site.post("track", "Signed up")
    site.settle()
    assert site.sent[0]["context"]["seenBy"] == "My plugin"
