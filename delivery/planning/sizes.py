"""How much a release is, how much of it has to travel to a host that has another one, and which files come, go and change there."""

from collections.abc import Sequence

from adminset.errors import DomainError
from delivery.artefacts import store
from delivery.artefacts.comparing import compare
from delivery.artefacts.manifests import Manifest
from delivery.models import Artefact
from delivery.planning.plan import PlanChange

Size = tuple[int | None, int | None, int | None]
UNKNOWN: Size = (None, None, None)
# Releases from which changes are told, those of most hosts first, and files that are named of each; all of them are counted.
MOST_BASES = 4
MOST_FILES = 60


class Sizes:
    """Answers for one artefact, each base once."""

    def __init__(self, artefact: Artefact | None) -> None:
        self._new = _manifest(artefact)
        self._known: dict[str, Size] = {}

    def to(self, base: Artefact | None) -> Size:
        """Give (files, bytes of the release, bytes at most to send) for a host with a base; None where nobody knows yet."""
        if self._new is None:
            return UNKNOWN
        key = base.sha256 if base else ""
        if key not in self._known:
            self._known[key] = self._count(self._new, _manifest(base))
        return self._known[key]

    def _count(self, new: Manifest, old: Manifest | None) -> Size:
        there = {entry.sha256 for entry in old.files.values()} if old else set()
        wanted = {e.sha256: e.size for e in new.files.values() if e.sha256 not in there}
        return len(new.files), new.size, sum(wanted.values())

    def changes(self, bases: Sequence[Artefact]) -> list[PlanChange]:
        """Say which files come, go and change on hosts that have one of some bases; nothing where the files are not known (any more)."""
        if self._new is None:
            return []
        told = []
        for base in bases[:MOST_BASES]:
            old = _manifest(base)
            if old is not None:
                told.append(_change(base, old, self._new))
        return told


def _change(base: Artefact, old: Manifest, new: Manifest) -> PlanChange:
    found = compare(old.entries, new.entries)
    named = tuple((one.path, one.state) for one in found.named[:MOST_FILES])
    return PlanChange(base.release, base.pk, found.counts, named)


def _manifest(artefact: Artefact | None) -> Manifest | None:
    if artefact is None or not store.has(artefact.sha256):
        return None
    try:
        return store.manifest(artefact.sha256)
    except DomainError:
        return None
