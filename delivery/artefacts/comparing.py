"""Compares two artefacts by their manifests: which files came, went, changed; and the text of one of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from delivery.artefacts.manifests import Entry

ADDED, REMOVED, CHANGED, MODE = "added", "removed", "changed", "mode"
# Colour and word of each.
STATES = {
    ADDED: ("ok", _("new")),
    REMOVED: ("danger", _("gone")),
    CHANGED: ("warning", _("changed")),
    MODE: ("idle", _("other mode")),
}
# Files that a page names; the counts are of all.
MOST_NAMED = 500


@dataclass(frozen=True)
class FileChange:
    """One file that differs, as it was and as it is now; None where there is none."""

    path: str
    state: str
    was: Entry | None = None
    now: Entry | None = None

    @property
    def badge(self) -> tuple[str, str]:
        """Colour and word."""
        colour, word = STATES[self.state]
        return colour, str(word)

    @property
    def grown(self) -> int:
        """Bytes that it is larger than before; negative where it is smaller."""
        return _size(self.now) - _size(self.was)


@dataclass(frozen=True)
class Comparison:
    """What differs between two manifests.

    Attributes:
        named: the first files that differ, by path. counts: how many by state. same: how many files are alike.
        grown: bytes that all of it is larger than before.
    """

    named: list[FileChange] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    same: int = 0
    grown: int = 0

    @property
    def badges(self) -> list[tuple[str, str, int]]:
        """Colour, word and number of each state of which there is any."""
        rows = [(*STATES[state], count) for state, count in self.counts.items()]
        return [(colour, str(word), count) for colour, word, count in rows]

    @property
    def total(self) -> int:
        """How many files differ."""
        return sum(self.counts.values())

    @property
    def unnamed(self) -> int:
        """How many of them are not named."""
        return self.total - len(self.named)


def _size(entry: Entry | None) -> int:
    return entry.size if entry else 0


def compare(was: Iterable[Entry], now: Iterable[Entry]) -> Comparison:
    """Compare the entries of two manifests."""
    older = {entry.path: entry for entry in was}
    newer = {entry.path: entry for entry in now}
    named: list[FileChange] = []
    counts: dict[str, int] = {}
    same = 0
    for path in sorted({*older, *newer}):
        state = _state(older.get(path), newer.get(path))
        if not state:
            same += 1
            continue
        counts[state] = counts.get(state, 0) + 1
        if len(named) < MOST_NAMED:
            named.append(FileChange(path, state, older.get(path), newer.get(path)))
    grown = sum(map(_size, newer.values())) - sum(map(_size, older.values()))
    return Comparison(named, counts, same, grown)


def _state(was: Entry | None, now: Entry | None) -> str:
    if was is None:
        return ADDED
    if now is None:
        return REMOVED
    if (was.sha256, was.target) != (now.sha256, now.target):
        return CHANGED
    return MODE if was.executable != now.executable else ""
