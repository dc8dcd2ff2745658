"""What the plugin does, in a sentence."""

from tracker.plugin import Event, Plugin


class MyPlugin(Plugin):
    """Rename this, and delete the hooks that you do not need."""

    name = "My plugin"

    def before(self, event: Event) -> None:
        """Change the event, first of all; `raise Drop("why")` keeps it from being sent."""

    def enrich(self, event: Event) -> None:
        """Change the event, last of all."""
        event["context"]["seenBy"] = self.name

    async def destination(self, event: Event) -> None:
        """Bring the event somewhere: `await self.site.send(url, body)`."""

    def after(self, event: Event) -> None:
        """See what was sent."""
