"""Lists such as processes and units: collected in the background, each at its own pace."""

import logging
import threading
import time
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Sequence, Union

from agent.collectors.series import Number, Values, printable
from agent.logs import quoted
from agent.sampler import FAULTS

MOST_ROWS = 500
STOP_SECONDS = 0.5
Cell = Union[str, Number, bool, None]
Row = Sequence[Cell]
Table = Dict[str, Any]
log = logging.getLogger(__name__)


class Found(NamedTuple):
    """What a chore brought: tables, values for the samples, counts of what was dropped."""

    tables: Sequence[Table] = ()
    values: Values = {}
    left_out: Dict[str, int] = {}


class Chore(NamedTuple):
    """Something to collect each so many seconds."""

    name: str
    seconds: float
    collect: Callable[[], Found]


def table(name: str, columns: Sequence[str], rows: Iterable[Row]) -> Table:
    """A table as it goes over the wire, cut to what the portal takes."""
    whole = [[cell(value) for value in row] for row in rows]
    return {
        "name": name,
        "time": round(time.time(), 3),
        "columns": list(columns),
        "rows": whole[:MOST_ROWS],
        "left_out": max(len(whole) - MOST_ROWS, 0),
    }


def cell(value: Cell) -> Cell:
    return printable(value) if isinstance(value, str) else value


class Background(threading.Thread):
    """Does chores one after the other; holds what they found for other threads.

    A chore that fails says so once and leaves the others alone; what it found is gone
    until it works again, so that nothing old passes for new.
    """

    def __init__(self, name: str, chores: Sequence[Chore]) -> None:
        super().__init__(name=name, daemon=True)
        self.chores = chores
        self.delivered: Dict[str, float] = {}
        self.due = {chore.name: float("-inf") for chore in chores}
        self.found: Dict[str, Found] = {}
        self.failing: Dict[str, str] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(self.pause()):
            self.work()

    def stop(self) -> None:
        """A chore under way is abandoned."""
        self.ended.set()
        if self.is_alive():
            self.join(STOP_SECONDS)

    def pause(self) -> float:
        """Seconds until the next chore."""
        nearest = min(self.due.values(), default=time.monotonic() + 3600.0)
        return max(nearest - time.monotonic(), 0.0)

    def work(self) -> None:
        """Every chore that is due, once."""
        for chore in self.chores:
            if time.monotonic() >= self.due[chore.name] and not self.ended.is_set():
                self.do(chore)
                self.due[chore.name] = time.monotonic() + chore.seconds

    def do(self, chore: Chore) -> None:
        try:
            found = chore.collect()
        except FAULTS as error:
            self.found.pop(chore.name, None)
            self.failed(chore.name, error)
            return
        self.failing.pop(chore.name, None)
        self.found[chore.name] = found

    def failed(self, name: str, error: Exception) -> None:
        """Said once, until it works again or fails in another way."""
        reason = f"{type(error).__name__}: {error}"
        if self.failing.get(name) != reason:
            self.failing[name] = reason
            log.warning("event=chore_failed name=%s error=%s", name, quoted(reason))

    def values(self) -> Values:
        """The newest of each chore: samples in between repeat them."""
        together: Values = {}
        for found in list(self.found.values()):
            together.update(found.values)
        return together

    def left_out(self) -> Dict[str, int]:
        """What the chores dropped for the sake of size."""
        together: Dict[str, int] = {}
        for found in list(self.found.values()):
            together.update(found.left_out)
        return together

    def undelivered(self) -> List[Table]:
        """Tables that the portal does not have in this state."""
        newest = [each for found in list(self.found.values()) for each in found.tables]
        return [
            each for each in newest if self.delivered.get(each["name"]) != each["time"]
        ]

    def deliver(self, tables: Iterable[Table]) -> None:
        """To be called when the portal has taken them."""
        for each in tables:
            self.delivered[each["name"]] = each["time"]
