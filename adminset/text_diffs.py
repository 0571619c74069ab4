"""Compares two texts line by line: what came, what went, and between them what is the same, folded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from django.conf import settings

from adminset.unseen import visible

# Lines of the same that stand around a change.
AROUND = 3
# Fewer lines are not worth a fold.
LEAST_FOLDED = 4
SIGNS = {"same": " ", "added": "+", "removed": "-"}


@dataclass(frozen=True)
class Line:
    """One line of a comparison.

    Attributes:
        kind: same, added, removed, or fold (`count` lines of the same stand there).
        left, right: its number in the older and the newer text; 0 where it is not in it.
    """

    kind: str
    text: str = ""
    left: int = 0
    right: int = 0
    count: int = 0

    @property
    def sign(self) -> str:
        """Sign before it."""
        return SIGNS.get(self.kind, "")


@dataclass(frozen=True)
class Pair:
    """A row of two columns: what stood there, and what stands there now."""

    left: Line | None
    right: Line | None

    @property
    def fold(self) -> int:
        """How many lines of the same are folded here."""
        return self.left.count if self.left else 0


@dataclass(frozen=True)
class FileDiff:
    """The comparison of one text.

    Attributes:
        path: the file's, "" where there is only one. state: added, removed, changed.
        why: why it is not shown line by line: "binary", "long", or "".
    """

    path: str
    state: str
    lines: list[Line] = field(default_factory=list)
    added: int = 0
    removed: int = 0
    why: str = ""

    @property
    def pairs(self) -> list[Pair]:
        """The same in two columns."""
        return list(_paired(self.lines))


def compare_texts(path: str, older: str | None, newer: str | None) -> FileDiff:
    """Compare two texts; None: there is no such file."""
    state = "added" if older is None else "removed" if newer is None else "changed"
    # Not splitlines: a line end that came or went is a change too.
    left, right = (text.split("\n") if text else [] for text in (older, newer))
    # Where both end with one, or there is only one of them, what stands behind it is no line.
    if all(lines[-1:] == [""] for lines in (left, right) if lines):
        left, right = left[:-1], right[:-1]
    if len(left) + len(right) > settings.LIBRARY_DIFF_LINES:
        return FileDiff(path, state, why="long")
    lines = list(_lines(left, right))
    counts = [sum(line.kind == kind for line in lines) for kind in ("added", "removed")]
    folded = [replace(line, text=visible(line.text)) for line in _folded(lines)]
    return FileDiff(path, state, folded, counts[0], counts[1])


def _lines(left: Sequence[str], right: Sequence[str]) -> Iterator[Line]:
    """Give all lines; what begins and ends alike is not compared, which makes most comparisons short."""
    start = _alike(left, right)
    end = _alike(left[start:][::-1], right[start:][::-1])
    yield from _same(left[:start], 0, 0)
    middle = (left[start : len(left) - end], right[start : len(right) - end])
    matcher = SequenceMatcher(None, *middle, autojunk=True)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            yield from _same(middle[0][a:b], start + a, start + c)
            continue
        for number in range(a, b):
            yield Line("removed", middle[0][number], left=start + number + 1)
        for number in range(c, d):
            yield Line("added", middle[1][number], right=start + number + 1)
    yield from _same(left[len(left) - end :], len(left) - end, len(right) - end)


def _alike(left: Sequence[str], right: Sequence[str]) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def _same(texts: Sequence[str], left: int, right: int) -> Iterator[Line]:
    for number, text in enumerate(texts, 1):
        yield Line("same", text, left + number, right + number)


def _folded(lines: list[Line]) -> list[Line]:
    """Fold what is the same, but for some lines around each change."""
    near: set[int] = set()
    for number, line in enumerate(lines):
        if line.kind != "same":
            near.update(range(number - AROUND, number + AROUND + 1))
    shown: list[Line] = []
    waiting: list[Line] = []
    for number, line in enumerate(lines):
        if number not in near:
            waiting.append(line)
            continue
        shown += [*_fold(waiting), line]
        waiting = []
    return [*shown, *_fold(waiting)]


def _fold(lines: list[Line]) -> list[Line]:
    if len(lines) < LEAST_FOLDED:
        return lines
    return [Line("fold", left=lines[0].left, right=lines[0].right, count=len(lines))]


def _paired(lines: Sequence[Line]) -> Iterator[Pair]:
    """Put lines that went beside those that came in their place."""
    gone: list[Line] = []
    come: list[Line] = []
    for line in [*lines, Line("fold")]:
        if line.kind in ("removed", "added"):
            (gone if line.kind == "removed" else come).append(line)
            continue
        for number in range(max(len(gone), len(come))):
            yield Pair(
                gone[number] if number < len(gone) else None,
                come[number] if number < len(come) else None,
            )
        gone, come = [], []
        if line.kind == "same" or line.count:
            yield Pair(line, line)
