"""Many requests wait for one write: what comes in while a write goes on makes the next one."""

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
# Takes some items and gives a result for each, in their order; what it raises is all of theirs.
Work = Callable[[Sequence[Item]], Sequence[Result]]


class GroupDiedError(Exception):
    """The thread that was at it was ended."""


@dataclass(slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    weight: int
    since: float
    future: "Future[Result] | asyncio.Future[Result]"
    # Where the future belongs to an event loop: only that may touch it.
    loop: asyncio.AbstractEventLoop | None = None

    def starts(self) -> bool:
        """Say that it is being done; False where nobody waits for it any more."""
        if isinstance(self.future, Future):
            return self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()


class Group(Generic[Item, Result]):
    """Collects items of many threads and does them together.

    One bad item takes no other with it: a group that fails is done again in halves, unless the whole was at fault
    (`spares` says so of the error: a store that is away is away for all).

    Args:
        name: of its threads.
        work: does a group.
        threads: groups at the same time.
        window: seconds to wait for others after the first came.
        most: weight of a group.
        spares: says whether a group that failed may be done again in parts.
    """

    def __init__(
        self,
        name: str,
        work: "Work[Item, Result]",
        *,
        threads: int = 2,
        window: float = 0.004,
        most: int = 1000,
        spares: Callable[[Exception], bool] = lambda _error: True,
    ) -> None:
        self._name, self._work, self._spares = name, work, spares
        self._threads, self._window, self._most = threads, window, most
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._ready = threading.Condition()
        self._running = self._weight = 0
        self.groups = self.items = 0

    def submit(self, item: Item, weight: int = 1) -> "Future[Result]":
        """Put an item into the next group.

        Returns:
            what `work` gives for it, once that is done; or what it raised.
        """
        future: Future[Result] = Future()
        self._put(_Waiting(item, weight, time.monotonic(), future))
        return future

    def ask(self, item: Item, weight: int = 1) -> "asyncio.Future[Result]":
        """Put an item into the next group, from an event loop: as `submit`, to be awaited there."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._put(_Waiting(item, weight, time.monotonic(), future, loop))
        return future

    def _put(self, waiting: "_Waiting[Item, Result]") -> None:
        with self._ready:
            self._waiting.append(waiting)
            self._weight += waiting.weight
            if self._running < self._threads:
                self._running += 1
                threading.Thread(
                    target=self._run, name=f"{self._name}-{self._running}", daemon=True
                ).start()
            # Who waits for the window need not wake for each that joins.
            if len(self._waiting) == 1 or self._weight >= self._most:
                self._ready.notify()

    def _run(self) -> None:
        try:
            while True:
                group = self._next()
                if not group:
                    continue
                self.groups += 1
                self.items += len(group)
                self._do(group)
        finally:
            # It dies of what nobody may catch: the next item starts another one.
            with self._ready:
                self._running -= 1

    def _next(self) -> "list[_Waiting[Item, Result]]":
        with self._ready:
            while True:
                while not self._waiting:
                    self._ready.wait()
                left = self._waiting[0].since + self._window - time.monotonic()
                if left <= 0 or self._weight >= self._most:
                    return self._taken()
                self._ready.wait(left)

    def _taken(self) -> "list[_Waiting[Item, Result]]":
        taken: list[_Waiting[Item, Result]] = []
        weight = 0
        while self._waiting:
            first = self._waiting[0]
            if taken and weight + first.weight > self._most:
                break
            weight += first.weight
            self._weight -= first.weight
            self._waiting.popleft()
            if first.starts():
                taken.append(first)
        if self._waiting:
            self._ready.notify()
        return taken

    def _do(self, group: "Sequence[_Waiting[Item, Result]]") -> None:
        try:
            results = self._work([each.item for each in group])
            # A work that gives too few leaves nobody waiting for ever.
            done = list(zip(group, results, strict=True))
        except Exception as error:  # noqa: BLE001 - it is the answer to those who wait
            self._failed(group, error)
            return
        except BaseException:
            _settle([(each, None, GroupDiedError()) for each in group])
            raise
        _settle([(each, result, None) for each, result in done])

    def _failed(
        self, group: "Sequence[_Waiting[Item, Result]]", error: Exception
    ) -> None:
        if len(group) == 1 or not self._spares(error):
            _settle([(each, None, error) for each in group])
            return
        middle = len(group) // 2
        self._do(group[:middle])
        self._do(group[middle:])


# Who waits, its result, or what went wrong.
Outcome = tuple[_Waiting[Any, Any], Any, Exception | None]


def _settle(outcomes: Sequence[Outcome]) -> None:
    """Give each its result; an event loop is woken once for all that wait there."""
    loops: dict[asyncio.AbstractEventLoop, list[Outcome]] = {}
    for outcome in outcomes:
        loop = outcome[0].loop
        if loop is None:
            _deliver([outcome])
        else:
            loops.setdefault(loop, []).append(outcome)
    for loop, mine in loops.items():
        # A loop that was closed meanwhile has nobody who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_deliver, mine)


def _deliver(outcomes: Sequence[Outcome]) -> None:
    for waiting, result, error in outcomes:
        if waiting.future.done():
            continue
        if error is None:
            waiting.future.set_result(result)
        else:
            waiting.future.set_exception(error)
