"""Decides which address leads where, and wires the parts of the collector together."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router

from collector import customerio, network_id, snowplow
from collector.api import api_routes
from collector.bodies import failure
from collector.cross_origin import CrossOrigin
from collector.feed import Feed
from collector.iglu import Schemas
from collector.intake import take_events
from collector.micro import micro_routes
from collector.parameters import ParameterError
from collector.records import Intake
from collector.settings import Settings
from collector.static import StaticFolder, to_folder
from collector.store import Store

PAGES = Path(__file__).parent / "pages"

# A transparent image of one pixel: what a tracker asks for that sends events as an image.
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

# Event payloads are written by strangers: nothing but the page's own files may run or be loaded.
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


def create_app(settings: Settings) -> Starlette:
    """Make the collector as an ASGI application.

    `state.store` and `state.feed` are its parts. The store is opened by the lifespan, which
    raises `SettingsError` if the database cannot be used; whoever wants to know earlier opens it
    before. To stop while streams are open, call `state.feed.close()` first.
    """
    store = Store(settings.database, settings.capacity)
    feed = Feed()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        store.open()
        feed.attach(store)
        yield
        feed.close()
        await to_thread.run_sync(store.close)

    app = Starlette(
        routes=[
            _section("/v1", customerio_routes(store, settings)),
            *snowplow_routes(store, settings),
            _section("/api", list(api_routes(store, feed, settings))),
            _section("/micro", list(micro_routes(store, settings))),
            *_page_routes(),
            *_mount_routes(settings),
            Route("/", lambda _: RedirectResponse("/events")),
        ],
        middleware=[Middleware(CrossOrigin, event_paths=settings.paths)],
        exception_handlers={HTTPException: _http_error, ParameterError: _bad_parameter},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.store = store
    app.state.feed = feed
    return app


def customerio_routes(store: Store, settings: Settings) -> list[BaseRoute]:
    """Give the routes below `/v1`, where Customer.io's clients send events."""

    def endpoint(name: str, kind: str | None) -> Route:
        take = (
            customerio.take_batch
            if kind is None
            else partial(customerio.take_single, expected=kind)
        )

        async def receive(request: Request) -> Response:
            return await take_events(request, store, settings, take)

        return Route(f"/{name}", receive, methods=["POST"])

    def source_settings(request: Request) -> Response:
        # The client looks up its write key here; without an apiHost it keeps the one it has.
        key = request.path_params["key"]
        return JSONResponse({"integrations": {"Customer.io Data Pipelines": {"apiKey": key}}})

    return [
        *(endpoint(name, kind) for name, kind in customerio.ENDPOINTS.items()),
        Route("/projects/{key:path}/settings", source_settings),
    ]


def snowplow_routes(store: Store, settings: Settings) -> list[BaseRoute]:
    """Give the routes where Snowplow's trackers send events."""
    schemas = Schemas(settings.iglu)

    async def receive(request: Request) -> Response:
        visitor = network_id.recognise(request, settings)
        pixel = request.method != "POST"
        take = partial(
            snowplow.take_get if pixel else snowplow.take_post, visitor=visitor, schemas=schemas
        )

        def reply(intake: Intake) -> Response:
            answer = (
                Response(PIXEL, intake.status, media_type="image/gif")
                if pixel
                else PlainTextResponse("ok", intake.status)
            )
            if visitor.set_cookie:
                answer.headers["Set-Cookie"] = visitor.set_cookie
            return answer

        return await take_events(request, store, settings, take, reply)

    both = ["GET", "POST"]
    return [
        Route("/i", receive, methods=["GET"]),
        _section(f"/{snowplow.VENDOR}", [Route("/tp2", receive, methods=both)]),
        *(Route(path, receive, methods=both) for path in settings.paths),
    ]


def _page_routes() -> list[BaseRoute]:
    pages = StaticFolder(PAGES, PAGE_HEADERS)

    def page(request: Request) -> Response:
        return pages.respond(request, "events.html")

    return [Route("/events", page), Mount("/events", pages)]


def _mount_routes(settings: Settings) -> list[BaseRoute]:
    routes: list[BaseRoute] = []
    # The longest path first, so that a mount of / or /a does not hide one of /a/b.
    for mount in sorted(settings.mounts, key=lambda mount: -len(mount.path.rstrip("/"))):
        path = mount.path.rstrip("/")
        if path:
            routes.append(Route(path, lambda request: to_folder(request.scope["path"])))
        routes.append(Mount(path, StaticFolder(mount.directory)))
    return routes


def _section(path: str, routes: list[BaseRoute]) -> Mount:
    """Keep a prefix to itself: what is not found below it is not looked for elsewhere."""
    return Mount(path, Router(routes, redirect_slashes=False))


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    reason = f"{request.method} {request.scope['path'][:200]}: {error.detail}"
    return failure(error.status_code, reason, dict(error.headers or {}))


def _bad_parameter(_: Request, error: Exception) -> Response:
    return failure(400, str(error))
