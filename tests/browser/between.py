"""What stands between browsers and the collector: Playwright sees no request of a shared worker."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class Between:
    """Sees all requests before the collector does, and may answer instead of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []  # addresses without the origin
        self._answers: list[tuple[str, Iterator[int]]] = []
        self._served: dict[str, tuple[str, str]] = {}

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application behind this."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                return await app(scope, receive, send)
            query = scope["query_string"].decode()
            address = scope["path"] + (query and "?" + query)
            if not address.startswith(("/api/", "/micro/")):  # the test's own questions
                self.asked.append(address)
            served = next((s for part, s in self._served.items() if part in address), None)
            if served is not None:
                return await Response(served[0], media_type=served[1])(scope, receive, send)
            status = next((s for part, s in self._answers if part in address), iter(()))
            code = next(status, None)
            if code is None:
                return await app(scope, receive, send)
            # a connection with an unread body is closed, and Firefox then asks once more by itself
            while (await receive()).get("more_body"):
                pass
            length = (b"content-length", b"9" if code == 0 else b"0")
            start = {"type": "http.response.start", "status": code or 200, "headers": [length]}
            await send(start)
            await send({"type": "http.response.body", "body": b"", "more_body": code == 0})
            return None

        return answer

    def answer(self, part: str, statuses: Iterable[int]) -> None:
        """Answer requests with `part` in their address so, one after the other; 0 breaks off."""
        self._answers.insert(0, (part, iter(statuses)))

    def serve(self, part: str, content: str, kind: str = "text/javascript") -> None:
        """Answer requests with `part` in their address with this content."""
        self._served[part] = (content, kind)

    def wait_for_silence(self, seconds: float = 0.15) -> None:
        """Wait until nothing has been asked for so long."""
        seen = -1
        while seen != len(self.asked):
            seen = len(self.asked)
            time.sleep(seconds)

    def reset(self) -> None:
        """Forget what was asked, and leave all answers to the collector."""
        self.asked.clear()
        self._answers.clear()
        self._served.clear()
