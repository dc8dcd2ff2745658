"""Brings more Python into a running Pyodide: its whole standard library, micropip, and wheels.

Like `tracker.browser`, this knows Pyodide; it is imported only where there are plugins.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

import tracker
from tracker.tasks import Future

FOLDER = "/plugins/"
RUNNER = "plugins.zip"
LIBRARY = "stdlib.zip"
SMALL = "/lib/"  # where the library is that pages start with
MORE = (LIBRARY, "micropip.whl", "packaging.whl")

Download = Callable[[str], Future[tuple[int, bytes]]]


async def extend(download: Download, runner: str, folder: str) -> None:
    """Make importable what runs plugins, all of the standard library, and micropip.

    `runner` is the address of the first, `folder` that of the others. Raises RuntimeError for a
    file that is missing.
    """
    import os  # of the small library that pages start with

    addresses = {RUNNER: runner, **{name: folder + name for name in MORE}}
    waiting = [(name, address, download(address)) for name, address in addresses.items()]
    os.makedirs(FOLDER, exist_ok=True)  # noqa: PTH103 - pathlib is not there yet
    for name, address, each in waiting:
        status, content = await each
        if status != 200:
            raise RuntimeError(f"{address} answers {status}")
        with open(FOLDER + name, "wb") as file:  # noqa: PTH123
            file.write(content)
        # the whole library comes first: packages of the small one lack modules
        sys.path.insert(0 if name == LIBRARY else len(sys.path), FOLDER + name)
    tracker.__path__.append(f"{FOLDER}{RUNNER}/tracker")
    for name, module in list(sys.modules.items()):
        places = getattr(module, "__path__", None)
        if isinstance(places, list) and places and places[0].startswith(SMALL):
            places.append(f"{FOLDER}{LIBRARY}/{name.replace('.', '/')}")
    importlib.invalidate_caches()


def install(wheels: Mapping[str, bytes]) -> Future[None]:
    """Install wheels with micropip; nothing else is asked for."""
    import asyncio

    micropip: Any = importlib.import_module("micropip")
    for name, content in wheels.items():
        with open(FOLDER + name, "wb") as file:  # noqa: PTH123
            file.write(content)
    done: Future[None] = Future()

    def ended(task: Any) -> None:
        if task.exception() is None:
            importlib.invalidate_caches()
            done.resolve(None)
        else:
            done.reject(RuntimeError(f"{type(task.exception()).__name__}: {task.exception()}"))

    names = [f"emfs:{FOLDER}{name}" for name in wheels]
    task: Any = asyncio.ensure_future(micropip.install(names, deps=False))
    task.add_done_callback(ended)
    return done
