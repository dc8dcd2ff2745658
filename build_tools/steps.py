"""Steps: which of them are stale, in which order they run, and how progress is told."""

import fcntl
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from build_tools.commands import BuildError, Runner

Action = Callable[[Runner], str | None]


@dataclass(frozen=True)
class Step:
    """One line of progress. What `action` returns is shown behind the title."""

    title: str
    action: Action
    is_done: Callable[[], bool] = lambda: False


def digest(*inputs: Path | str) -> str:
    """One hash over texts, files and whole folders; a missing file counts as such."""
    total = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            total.update(f"text {len(item)}\n{item}".encode())
            continue
        for path in sorted(item.rglob("*")) if item.is_dir() else [item]:
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            name = path.relative_to(item.parent).as_posix()
            content = path.read_bytes() if path.exists() else b"(missing)"
            total.update(f"file {name} {len(content)}\n".encode() + content)
    return total.hexdigest()


def stamped(
    title: str,
    action: Action,
    *,
    stamp: Path,
    inputs: Callable[[], str],
    products: Callable[[], Iterable[Path]],
) -> Step:
    """A step that runs only when the digest of its inputs changed or a product is gone."""

    def is_done() -> bool:
        return (
            stamp.exists()
            and stamp.read_text() == inputs()
            and all(product.exists() for product in products())
        )

    def run(runner: Runner) -> str | None:
        stamp.unlink(missing_ok=True)
        before = inputs()  # an edit made while the step runs makes it stale again
        detail = action(runner)
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(before)
        return detail

    return Step(title, run, is_done)


def run_steps(steps: Sequence[Step], runner: Runner) -> None:
    """Run the stale ones in order, with a line of progress each."""
    for number, step in enumerate(steps, 1):
        print(f"[{number:2}/{len(steps)}] {step.title} … ", end="", flush=True)
        start = time.monotonic()
        try:
            if step.is_done():
                print("up to date", flush=True)
                continue
            detail = step.action(runner)
        except BuildError:
            print("failed", flush=True)
            raise
        seconds = f"{time.monotonic() - start:.1f} s"
        print(f"{seconds} ({detail})" if detail else seconds, flush=True)


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Keep two builds of one repository from writing the same files at the same time."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("waiting for another build.py in this folder …", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
