"""Loads plugins in Python: which wheels, from where, with which others, and what is in them.

Needs the whole standard library, which pages without plugins do not download: `Browser.install`
brings it. So this module is imported only where there are plugins.
"""

from __future__ import annotations

import importlib
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Any

from tracker.browser import Browser, NetworkError, Url
from tracker.plugin import Plugin
from tracker.python_plugins import START_MS, Wanted, WheelError, within

GROUP = "pyodide_tracker.plugins"
NAME = re.compile(r"([A-Za-z0-9._]+)-([A-Za-z0-9._!+]+?)(-\d[^-]*)?-([^-]+-none-any)\.whl")
PINNED = re.compile(r"([A-Za-z0-9._-]+)\s*\(?==\s*([A-Za-z0-9._!+]+)\)?\s*(?:;.*)?")
MANY = 50  # wheels; more are a circle, or a mistake
READ_ON = "See docs/plugins.md#wheels"


@dataclass(frozen=True)
class Wheel:
    """A wheel as it was downloaded: its file's name, the package, what it needs and offers."""

    file: str
    package: str
    content: bytes
    needs: tuple[str, ...]
    offers: tuple[str, ...]  # "module:Class"


async def load(
    browser: Browser, wanted: Wanted, page: str, origins: Sequence[str]
) -> list[type[Plugin]]:
    """The plugins of a wheel.

    Takes the page's address, and origins that are allowed besides its own. Raises WheelError.
    """
    found: dict[str, Wheel] = {}
    first = await _fetch(browser, wanted, page, origins)
    waiting = [first]
    found[first.package] = first
    while waiting:
        wheel = waiting.pop()
        for need in wheel.needs:
            package, address = _found_beside(need, wheel, wanted.address)
            if package not in found:
                if len(found) >= MANY:
                    raise WheelError(f"{first.file} needs more than {MANY} wheels. {READ_ON}")
                found[package] = await _fetch(
                    browser, Wanted(address, "", False), page, origins, need
                )
                waiting.append(found[package])
    if not first.offers:
        raise WheelError(
            f"{first.file} offers no plugin; allowed: a wheel with entry points of the group "
            f"{GROUP}. {READ_ON}"
        )
    try:
        await browser.install({wheel.file: wheel.content for wheel in found.values()})
    except Exception as error:
        raise WheelError(f"{first.file} cannot be installed: {error}. {READ_ON}") from None
    return [_class(browser, first.file, offer) for offer in first.offers]


async def _fetch(
    browser: Browser, wanted: Wanted, page: str, origins: Sequence[str], need: str = ""
) -> Wheel:
    """Download a wheel and look into it."""
    url = browser.parse_url(wanted.address, page)
    file = url.pathname.rpartition("/")[2] if url else ""
    if url is None or NAME.fullmatch(file) is None:
        raise WheelError(
            f"{wanted.address!r} is no address of a wheel; allowed: the address of a wheel of pure "
            f"Python, NAME-VERSION-py3-none-any.whl. {READ_ON}"
        )
    _check_origin(browser, url, page, origins, wanted)
    because = f" ({need!r} needs it)" if need else ""
    try:
        status, content = await browser.download(url.href.partition("#")[0])
    except NetworkError as error:
        raise WheelError(f"{url.href} does not answer{because}: {error}. {READ_ON}") from None
    if status != 200:
        raise WheelError(f"{url.href} answers {status}{because}; allowed: 200. {READ_ON}")
    actual = sha256(content).hexdigest()
    if wanted.hash and wanted.hash != actual:
        raise WheelError(
            f"{file} has the SHA-256 {actual}, and {wanted.hash} is wanted. Give the one of the "
            f"file that you mean. {READ_ON}"
        )
    return _opened(file, content)


def _check_origin(
    browser: Browser, url: Url, page: str, origins: Sequence[str], wanted: Wanted
) -> None:
    own = browser.parse_url(page)
    origin = f"{url.protocol}//{url.host}"
    if own is not None and origin == f"{own.protocol}//{own.host}":
        return
    if origin not in origins:
        allowed = ", ".join(["the page's own", *origins])
        raise WheelError(
            f"{url.href} is of the origin {origin}; allowed: {allowed}. Others are named in the "
            f"option pluginOrigins. {READ_ON}"
        )
    if not wanted.hash:
        raise WheelError(
            f"{url.href} is of another origin and has no hash; allowed: #sha256=… behind the "
            f"address. {READ_ON}"
        )


def _opened(file: str, content: bytes) -> Wheel:
    """What a wheel says of itself."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = archive.namelist()
            info = next((n for n in names if n.endswith(".dist-info/METADATA")), None)
            if info is None:
                raise WheelError(f"{file} is no wheel: it has no METADATA. {READ_ON}")
            metadata = archive.read(info).decode("utf-8", "replace").partition("\n\n")[0]
            points = info.replace("METADATA", "entry_points.txt")
            text = archive.read(points).decode("utf-8", "replace") if points in names else ""
    except zipfile.BadZipFile:
        raise WheelError(f"{file} is no wheel: it is no zip file. {READ_ON}") from None
    fields = [line.partition(":") for line in metadata.splitlines()]
    needs = [value.strip() for key, _, value in fields if key == "Requires-Dist"]
    own = (value.strip() for key, _, value in fields if key == "Name")
    return Wheel(
        file,
        _normal(next(own, file.partition("-")[0])),
        content,
        tuple(need for need in needs if "extra" not in need.partition(";")[2]),
        tuple(_offers(text)),
    )


def _offers(text: str) -> list[str]:
    """The values of our group in an entry_points.txt."""
    found, group = [], ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[] ")
        elif group == GROUP and "=" in line:
            found.append(line.partition("=")[2].strip())
    return found


def _found_beside(need: str, wheel: Wheel, address: str) -> tuple[str, str]:
    """The package that a requirement means, and the address of its wheel: beside the first one."""
    pinned = PINNED.fullmatch(need)
    if pinned is None:
        raise WheelError(
            f"{wheel.file} needs {need!r}; allowed: an exact version, NAME==VERSION, whose wheel "
            f"NAME-VERSION-py3-none-any.whl is in the same folder. {READ_ON}"
        )
    package = _normal(pinned[1])
    folder = address[: address.rfind("/") + 1]
    return package, f"{folder}{package.replace('-', '_')}-{pinned[2]}-py3-none-any.whl"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _class(browser: Browser, file: str, offer: str) -> type[Plugin]:
    module, _, name = offer.partition(":")
    try:
        loaded = within(browser, START_MS, lambda: importlib.import_module(module.strip()))
        found: Any = getattr(loaded, name.strip())
    except Exception as error:
        raise WheelError(
            f"{file}: {offer} cannot be imported: {type(error).__name__}: {error}. {READ_ON}"
        ) from None
    if not (isinstance(found, type) and issubclass(found, Plugin)):
        raise WheelError(
            f"{file}: {offer} is no plugin; allowed: a class made from tracker.plugin.Plugin. "
            f"{READ_ON}"
        )
    return found
