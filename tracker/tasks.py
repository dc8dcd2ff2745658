"""How the core waits: a future and a runner for coroutines, without an event loop.

The port resolves futures from timers and network answers; a coroutine started with `spawn` runs at
once and goes on, in the same call stack, when the future it waits for is settled. The same code is
therefore synchronous on the page's own window and deterministic under a virtual clock.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Future(Generic[T]):
    """A value that may come later. Settled once; later attempts are ignored."""

    def __init__(self) -> None:
        self._settled = False
        self._value: T | None = None
        self._error: BaseException | None = None
        self._waiting: list[Callable[[Future[T]], None]] = []

    @classmethod
    def of(cls, value: T) -> Future[T]:
        """A future that already holds `value`."""
        future: Future[T] = cls()
        future.resolve(value)
        return future

    @property
    def settled(self) -> bool:
        """Whether a value or an error is there."""
        return self._settled

    @property
    def failed(self) -> bool:
        """Whether an error is there."""
        return self._error is not None

    def resolve(self, value: T) -> None:
        """Settle with a value."""
        self._settle(value, None)

    def reject(self, error: BaseException) -> None:
        """Settle with an error, which `result` and `await` raise."""
        self._settle(None, error)

    def result(self) -> T:
        """The value. Raises the error it was rejected with, or RuntimeError while unsettled."""
        if not self._settled:
            raise RuntimeError("the future is not settled yet")
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]

    def then(self, callback: Callable[[Future[T]], None]) -> None:
        """Call back with this future when it is settled, at once if it is."""
        if self._settled:
            callback(self)
        else:
            self._waiting.append(callback)

    def __await__(self) -> Generator[Future[T], None, T]:
        if not self._settled:
            yield self
        return self.result()

    def _settle(self, value: T | None, error: BaseException | None) -> None:
        if self._settled:
            return
        self._settled, self._value, self._error = True, value, error
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback(self)


def spawn(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """Run a coroutine until it has to wait, and on from there. Returns the future of its result."""
    outcome: Future[T] = Future()

    def step(_: Any = None) -> None:
        try:
            waiting_for = coroutine.send(None)
        except StopIteration as stop:
            outcome.resolve(stop.value)
        except Exception as error:
            outcome.reject(error)
        else:
            waiting_for.then(step)

    step()
    return outcome
