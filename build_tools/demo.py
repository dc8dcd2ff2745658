"""The demo: a small shop that is tracked, and the collector that shows its events live."""

import os
import signal
import socket
import subprocess
import sys
import webbrowser
from pathlib import Path
from types import FrameType
from typing import IO

from build_tools.commands import BuildError
from build_tools.paths import ROOT, VENV_PYTHON, WORK

HOST = "127.0.0.1"
DEFAULT_PORT = 8080
PORTS_TO_TRY = 100
READY = "collector listening on "
DEFAULT_DATABASE = WORK / "demo.sqlite"
MOUNTS = ("/tracker=dist", "/=examples/shop")
SECONDS_TO_STOP = 10


def is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(wanted: int | None, first: int = DEFAULT_PORT) -> int:
    """The wanted port, which must be free, or the first free one from `first` on."""
    if wanted is not None:
        if not is_free(wanted):
            raise BuildError(
                f"port {wanted} cannot be used: taken, or reserved for root",
                hint="choose another one, or leave --port out and a free one is taken",
            )
        return wanted
    last = first + PORTS_TO_TRY
    for port in range(first, last):
        if is_free(port):
            return port
    raise BuildError(f"no free port from {first} to {last - 1}", hint="name one: --port N")


def check_database(file: Path) -> Path:
    """The absolute path of a database that can be created or opened."""
    path = file.expanduser().absolute()
    if path.is_dir() or not path.parent.is_dir():
        raise BuildError(
            f"--database {file} cannot be created",
            hint=f"give a file in a folder that exists, for example {DEFAULT_DATABASE}",
        )
    return path


def has_screen() -> bool:
    """Whether opening a browser makes sense here."""
    if os.environ.get("CI"):
        return False
    return sys.platform == "darwin" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def run(port: int, database: Path, *, open_browser: bool) -> int:
    """Serve until Ctrl-C."""
    command: list[str | Path] = [VENV_PYTHON, "-m", "collector", "--port", str(port)]
    command += ["--database", database]
    for mount in MOUNTS:
        command += ["--mount", mount]
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _interrupt)
    collector = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C reaches us alone, and we stop it in order
    )
    try:
        assert collector.stdout is not None
        _follow(collector.stdout, port, open_browser=open_browser)
        code = collector.wait()
    except KeyboardInterrupt:
        _stop(collector)
        print("\nstopped", flush=True)
        return 0
    raise BuildError(
        f"the collector ended by itself with exit code {code}",
        hint="read its output above; try another --port or --database",
    )


def _follow(output: IO[str], port: int, *, open_browser: bool) -> None:
    """Announce the addresses as soon as the collector is ready; pass on what it prints."""
    for line in output:
        if not line.startswith(READY):
            print(line, end="", flush=True)
            continue
        shop = f"http://{HOST}:{port}/"
        print(f"\nDemo shop:   {shop}\nEvents live: {shop}events\n\nCtrl-C stops it.", flush=True)
        if open_browser:
            webbrowser.open(shop)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stop(collector: subprocess.Popen[str]) -> None:
    collector.terminate()
    try:
        collector.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        collector.kill()
        collector.wait()
