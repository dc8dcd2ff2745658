"""Decides how files are served: which, in which encoding, and how long browsers may keep them.

A browser may keep a file for ever if its address changes with its content: a content hash in the
name (`app-0123abcd.js`), a version in the folder (`pyodide-314.0.7/`) or in the query (`?v=2`).
Everything else, and HTML always, is asked for again each time, which an ETag makes cheap.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

# Mounted files may be used by pages of any origin, so that a tracker can be hosted here for them.
PUBLIC = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

# The tables of the operating system differ between machines, so only Python's own are used.
TYPES = mimetypes.MimeTypes()
for suffix, media_type in {
    ".wasm": "application/wasm",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".whl": "application/zip",
    ".map": "application/json",
    ".woff2": "font/woff2",
}.items():
    TYPES.add_type(media_type, suffix)

# Content codings by preference, with the suffix of the file that holds the coded form.
CODINGS = {"br": ".br", "gzip": ".gz"}

HASHED_NAME = re.compile(r"-[0-9a-f]{8,}\.")
VERSIONED_FOLDER = re.compile(r"(^|-)v?\d+\.\d+\.\d+$")
VERSIONED_QUERY = re.compile(r"^([0-9a-f]{8,}|(.*&)?v=.+)$")

FOREVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"


class StaticFolder:
    """An ASGI application that serves the files of one folder, with the given headers on all."""

    def __init__(self, directory: Path, headers: Mapping[str, str] = PUBLIC) -> None:
        self.root = directory.resolve()
        self.headers = dict(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the file that the path below the mount names."""
        if scope["type"] != "http":
            raise HTTPException(404)
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        inner = scope["path"].removeprefix(scope.get("root_path", ""))
        response = await to_thread.run_sync(self.respond, Request(scope), inner)
        await response(scope, receive, send)

    def respond(self, request: Request, inner: str) -> Response:
        """Give the response for a path below the root. Raises `HTTPException` 404."""
        path = self._find(inner)
        if path is not None and path.is_dir():
            if not inner.endswith("/"):  # or the relative links of the index would miss the folder
                return to_folder(request.scope["path"])
            path = self._find(inner := f"{inner}index.html")
        if path is None or not path.is_file() or inner.endswith("/"):
            raise HTTPException(404, headers=self.headers)
        accepted = _accepted(request.headers.get("accept-encoding", ""))
        coding, file = next(
            (
                (coding, coded)
                for coding, suffix in CODINGS.items()
                if coding in accepted and (coded := path.with_name(path.name + suffix)).is_file()
            ),
            ("", path),
        )
        facts = file.stat()
        headers = self.headers | {
            "Cache-Control": _cache_control(path, self.root, request),
            "ETag": f'"{facts.st_mtime_ns:x}-{facts.st_size:x}{coding and "-" + coding}"',
            "Vary": "Accept-Encoding",
        }
        if coding:
            headers["Content-Encoding"] = coding
        if _matches(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        kind = TYPES.guess_type(path.name, strict=False)[0] or "application/octet-stream"
        return FileResponse(file, headers=headers, media_type=kind, stat_result=facts)

    def _find(self, inner: str) -> Path | None:
        """Give the existing file or folder below the root, if it may be seen."""
        names = [name for name in inner.split("/") if name]
        if any(name.startswith(".") and name != ".well-known" for name in names):
            return None
        try:
            path = self.root.joinpath(*names).resolve(strict=True)
        except (OSError, ValueError, RuntimeError):  # absent, a NUL, too long, a link to itself
            return None
        return path if path.is_relative_to(self.root) else None


def to_folder(path: str) -> Response:
    """Redirect from a folder without a slash at the end to the one with it, on this host."""
    return RedirectResponse(f"/{quote(path.strip('/'))}/", 307)


def _cache_control(path: Path, root: Path, request: Request) -> str:
    if path.suffix in (".html", ".htm"):
        return ASK_AGAIN
    query = request.scope["query_string"].decode("latin-1")
    if HASHED_NAME.search(path.name) or VERSIONED_QUERY.match(query):
        return FOREVER
    folders = (root.name, *path.relative_to(root).parts[:-1])
    return FOREVER if any(map(VERSIONED_FOLDER.search, folders)) else ASK_AGAIN


def _accepted(header: str) -> set[str]:
    """Give the content codings that an Accept-Encoding header accepts by name."""
    accepted = set()
    for part in header.lower().split(","):
        coding, _, weight = part.partition(";")
        if not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight):
            accepted.add(coding.strip())
    return accepted


def _matches(if_none_match: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag in tags
