"""Lines of what a terminal printed, put together frame by frame: which have the words, when, and where a look may go on."""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.output_text import SEQUENCE, plain
from tasks.recording.cast import OUTPUT, Event
from tasks.recording.frames import START, Frame, Place

EXCERPT = 200
# What may stand across two frames, and how long an escape sequence may hang over the end of an event.
LONG_LINE = 4096
_HANGING = re.compile(r"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}|[\]PX^_][^\x07\x1b]{0,256})?\Z")


@dataclass(frozen=True)
class Spot:
    """The beginning of a line in a recording: in this frame, behind so many line ends of it."""

    place: Place = START
    lines: int = 0

    def __str__(self) -> str:
        return f"{self.place}.{self.lines}"


BEGIN = Spot()


class Lines:
    """Text without control sequences, gathered from events until its lines are whole, with the time of each part.

    Args:
        wanted: what is looked for in a line.

    Attributes:
        spot: where the text begins that was not looked through yet.
    """

    def __init__(self, wanted: re.Pattern[str]) -> None:
        self.spot = BEGIN
        self._wanted = wanted
        self._parts: list[str] = []
        self._length = 0
        self._hanging = ""
        self._starts: list[int] = []
        self._times: list[int] = []
        # The newest frame, and where its text begins.
        self._frame: Frame | None = None
        self._border = 0

    def add(self, frame: Frame, events: Iterable[Event], behind: int = 0) -> None:
        """Take the events of the next frame, of the first one only what stands behind so many line ends."""
        self._frame, self._border = frame, self._length
        if not self._length:
            self.spot = Spot(frame.place)
        for event in events:
            if event.kind == OUTPUT:
                self._take(event)
        if behind:
            text = "".join(self._parts)
            self._keep(text, _behind(text, behind))

    def _take(self, event: Event) -> None:
        text = self._hanging + event.text
        hanging = _HANGING.search(text[-512:])
        self._hanging = hanging.group() if hanging else ""
        bare = SEQUENCE.sub("", text[: len(text) - len(self._hanging)])
        if bare:
            self._starts.append(self._length)
            self._times.append(event.at_ms)
            self._parts.append(bare)
            self._length += len(bare)

    def found(self, most: int, *, last: bool = False) -> list[tuple[int, str]]:
        """Give (milliseconds, line) of whole lines that have the words, and let go what was looked through.

        Args:
            most: behind so many it stops. last: the line that has not ended is looked through too.
        """
        text = "".join(self._parts)
        end = text.rfind("\n") + 1
        if last or len(text) - end > LONG_LINE:
            end = len(text)
        found: list[tuple[int, str]] = []
        begin = 0
        while len(found) < most and (hit := self._wanted.search(text, begin, end)):
            found.append((self._time(hit.start()), _excerpt(text, hit.start(), end)))
            begin = text.find("\n", hit.start(), end) + 1 or end
        self._keep(text, begin if len(found) == most else end)
        return found

    def _time(self, at: int) -> int:
        return self._times[max(bisect_right(self._starts, at) - 1, 0)]

    def _keep(self, text: str, begin: int) -> None:
        """Keep what stands behind a place of the text."""
        self.spot = self._spot(text, begin)
        rest = text[begin:]
        first = max(bisect_right(self._starts, begin) - 1, 0)
        starts = self._starts[first:] if rest else []
        self._starts = [max(start - begin, 0) for start in starts]
        self._times = self._times[first:] if rest else []
        self._parts, self._length = [rest], len(rest)
        self._border = max(self._border - begin, 0)

    def _spot(self, text: str, begin: int) -> Spot:
        """Say where a place of the text stands in the recording; a line that began in an earlier frame is kept from there."""
        if self._frame is None:
            return self.spot
        if begin == len(text):
            return Spot(self._frame.after)
        if begin < max(self._border, 1):
            return self.spot
        ends = text.count("\n", self._border, begin)
        here = self.spot.place == self._frame.place
        return Spot(self._frame.place, ends + (self.spot.lines if here else 0))


def _behind(text: str, lines: int) -> int:
    """Find the place behind so many line ends."""
    place = 0
    for _number in range(lines):
        place = text.find("\n", place) + 1
        if not place:
            return len(text)
    return place


def _excerpt(text: str, at: int, end: int) -> str:
    begin = max(text.rfind("\n", 0, at) + 1, at - EXCERPT // 4)
    stop = text.find("\n", at, end)
    stop = min(end if stop < 0 else stop, begin + EXCERPT)
    return plain(text[begin:stop].rstrip("\r")).strip()
