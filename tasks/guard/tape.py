"""The output of a shell as far as the guard needs it: the modes that matter, and the last of it, drawn only when asked."""

import re
from dataclasses import dataclass

from tasks.guard.screen import Screen

# ESC c and ESC [ ? ... h or l.
MODES = re.compile(rb"\x1b(?:c|\[\?([0-9;]*)([hl]))")
OPEN = re.compile(rb"\x1b(?:\[(?:\?[0-9;]{0,40})?)?\Z")
FULL = {b"47", b"1047", b"1049"}
PASTE = b"2004"
# Of what was printed before a line is typed, so much is drawn; of what is printed while it is typed, so much is kept.
BEFORE, DURING = 4096, 65536


@dataclass(frozen=True)
class Anchor:
    """Where a line that is typed begins.

    Attributes:
        row: among all rows that ever were. prompt: what stands before it. right: what stands behind it.
    """

    row: int
    column: int
    prompt: str
    right: str


class Tape:
    """Takes output at full speed; `draw` makes the screen of it.

    Attributes:
        full: a full-screen program has the screen. paste: a line editor takes pastes in brackets.
        anchor: where the line at hand begins, once it was drawn.
        during: how many bytes came since the line was begun.
        ended, begun: since the last interrupt a line ended; and a line editor began anew behind it.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = Screen(columns, rows)
        self.full = self.paste = False
        self.ended = self.begun = False
        self.anchor: Anchor | None = None
        self.during = 0
        self._kept = bytearray()
        self._mark: int | None = None
        self._open = b""

    def add(self, data: bytes) -> None:
        """Take output."""
        if self._open:
            data, self._open = self._open + data, b""
        if b"\x1b" not in data:
            self._keep(data)
            return
        cut = OPEN.search(data, max(0, len(data) - 48))
        if cut:
            data, self._open = data[: cut.start()], cut.group()
        begin = 0
        for found in MODES.finditer(data):
            self._keep(data[begin : found.start()])
            self._switch(found)
            begin = found.end()
        self._keep(data[begin:])

    @property
    def waiting(self) -> int:
        """How many bytes are not drawn yet."""
        return len(self._kept)

    def interrupted(self) -> None:
        """Say that a line editor gets an interrupt: it throws its line away, ends it on the screen, and begins anew."""
        self.ended = self.begun = False

    def mark(self) -> None:
        """Say that a line begins here."""
        self._mark, self.anchor, self.during = len(self._kept), None, 0

    def unmark(self) -> None:
        """Say that the line is over; what has scrolled away is not needed any more."""
        self._mark = self.anchor = None
        self.screen.trim()

    def draw(self) -> Screen:
        """Bring the screen up to date."""
        if self._mark is not None and self.anchor is None:
            self._draw(bytes(self._kept[: self._mark]), cut=True)
            self.anchor = self._anchor()
            del self._kept[: self._mark]
            self._mark = 0
        self._draw(bytes(self._kept), cut=self._mark is None)
        self._kept.clear()
        return self.screen

    def _anchor(self) -> Anchor:
        screen = self.screen
        row = screen.rows[screen.y]
        begin = screen.begin_of(screen.y)
        before = screen.between((begin, 0), screen.y, screen.x)
        right = row.text(screen.x).strip()
        return Anchor(screen.gone + screen.y, screen.x, before, right)

    def _draw(self, data: bytes, *, cut: bool) -> None:
        self.screen.feed(self._last(data) if cut and len(data) > BEFORE else data)

    def _last(self, data: bytes) -> bytes:
        """Cut what was printed to its end, and draw that on an empty screen."""
        self.screen.reset()
        tail = data[-BEFORE:]
        line = tail.find(b"\n")
        return tail[line + 1 :] if 0 <= line < len(tail) - 1 else tail

    def _keep(self, data: bytes) -> None:
        if self.full:
            return
        self.during += len(data)
        self.ended = self.ended or b"\n" in data
        if self._mark is None and len(data) > 2 * BEFORE:
            self._kept[:] = self._last(data)
            return
        self._kept += data
        if self._mark is None:
            if len(self._kept) > 4 * BEFORE:
                self._kept[:] = self._last(bytes(self._kept))
        elif len(self._kept) - self._mark > DURING:
            # Too much to be a line that somebody edits: where it began is not known any more.
            self._kept[:] = self._last(bytes(self._kept))
            self.unmark()

    def _switch(self, found: re.Match[bytes]) -> None:
        """Follow a mode."""
        if found.group(2) is None:
            self.full = self.paste = False
            self._keep(found.group())
            return
        modes, on = set(found.group(1).split(b";")), found.group(2) == b"h"
        if modes & FULL:
            self.full = on
        if PASTE in modes:
            self.paste = on
            self.begun = self.begun or (on and self.ended)
