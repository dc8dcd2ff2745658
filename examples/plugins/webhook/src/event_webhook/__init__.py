"""A destination of your own: orders go to the address that `load` names.

cioanalytics.load("KEY", { plugins: ["/plugins/event_webhook-1.0-py3-none-any.whl"],
                           integrations: { Webhook: { url: "/hooks/orders" } } });
"""

from __future__ import annotations

import json

from tracker.plugin import Event, Plugin, SendError


class Webhook(Plugin):
    """Posts each order, a second time if there was no answer."""

    name = "Webhook"

    def start(self) -> None:
        """Find the address among the options of `load`."""
        self.url = self.site.options["integrations"][self.name]["url"]

    async def destination(self, event: Event) -> None:
        """Send what others need of an order."""
        if event.get("event") != "Order Completed":
            return
        body = json.dumps({"id": event["messageId"], "order": event["properties"]})
        try:
            await self.site.send(self.url, body)
        except SendError:
            await self.site.send(self.url, body)
