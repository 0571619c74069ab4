"""Walks the chain of the audit trail and names every line that was changed, removed, moved or slipped in."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from adminset.audit_chain import CHAIN_PK, chained_macs, content, unchained
from adminset.audit_seal import SEALED_FIELDS, fits, is_authentic, seal_of
from adminset.models import AuditChain, AuditEntry

BATCH = 2000
# A line that is not chained after this time was missed by the sweeper, which runs each minute.
SETTLE = timedelta(minutes=5)
COLUMNS = ("pk", "position", "mac", "seal", *SEALED_FIELDS)


class Line(NamedTuple):
    """One chained line as the database has it."""

    pk: int
    position: int
    mac: str
    seal: str
    content: Sequence[Any]

    @property
    def name(self) -> str:
        """Name it so that it can be found: id, place, time, verb."""
        return _name(self.pk, self.position, self.content[0], self.content[3])


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: changed, moved, removed, inserted, copied, late, cut, anchor.
        sentence: what it is, with id, place, time and verb where there is a line.
        pk, position: of the line; 0 where there is none.
    """

    kind: str
    sentence: str
    pk: int = 0
    position: int = 0


@dataclass(frozen=True)
class Witness:
    """Somebody who knows which seal stood at a place: the kept end of the chain, an anchor, the SIEM's cursor."""

    position: int
    seal: str
    source: str


@dataclass
class Verification:
    """One walk over the trail.

    Attributes:
        start: place to begin with; the seal before it is believed.
        witnesses: what else is known of the chain, apart from the table itself.
        progress: called with the number of lines walked since the last call.
        walked: how many chained lines were looked at. changed: how many of them the key does not know.
    """

    start: int = 1
    witnesses: Iterable[Witness] = ()
    progress: Callable[[int], None] = lambda count: None
    walked: int = field(default=0, init=False)
    changed: int = field(default=0, init=False)

    def findings(self) -> Iterator[Finding]:
        """Walk, and give what is wrong as it is found."""
        end = AuditChain.objects.filter(pk=CHAIN_PK).first()
        known = list(self.witnesses)
        if end and end.position:
            known.append(Witness(end.position, end.seal, "The kept end of the chain"))
        told: dict[int, list[Witness]] = {}
        for witness in known:
            if witness.position >= self.start:
                told.setdefault(witness.position, []).append(witness)
        last = yield from self._walk(told)
        yield from _cut(last, told)
        yield from _set_back(last)
        yield from _outside()

    def _walk(self, told: dict[int, list[Witness]]) -> Generator[Finding, None, int]:
        last, seals = self.start - 1, _seals_at(self.start - 1)
        for batch in _batches(self.start - 1):
            for line in batch:
                if line.position != last + 1:
                    yield _gap(last, line)
                    seals = None
                finding, seals = self._judge(line, seals)
                if finding:
                    yield finding
                yield from _contradicted(line, told.pop(line.position, []))
                last = line.position
            self.walked += len(batch)
            self.progress(len(batch))
        return last

    def _judge(
        self, line: Line, seals: set[str] | None
    ) -> tuple[Finding | None, set[str]]:
        """Look at one line.

        Args:
            seals: which the line before may have had; None when the line before is gone, so that nothing is known.
        """
        whole = is_authentic(line.mac, line.content)
        place = (line.position, line.pk, line.mac)
        linked = seals is None or any(fits(line.seal, each, *place) for each in seals)
        # Where only the kept seal was spoilt, the next line follows the one that ought to stand there.
        ours = {line.seal} | {seal_of(each, *place) for each in seals or ()}
        if not whole:
            self.changed += 1
            return _found("changed", line, "was changed after it was written"), ours
        if not linked:
            return _found("moved", line, "does not follow the line before it"), ours
        return None, {line.seal}


def state_of(entry: AuditEntry) -> str:
    """Judge one line by itself and by the line before it.

    Returns:
        "sealed", "waiting" (written by the portal, not chained yet), "changed" (its own seal does not fit what it says) or
        "moved" (it does not follow the line before it).
    """
    if not is_authentic(entry.mac, content(entry)):
        return "changed"
    if entry.position is None:
        return "waiting"
    before = _seals_at(entry.position - 1) or set()
    place = (entry.position, entry.pk, entry.mac)
    linked = any(fits(entry.seal, each, *place) for each in before)
    return "sealed" if linked else "moved"


def _batches(after: int) -> Iterator[list[Line]]:
    while True:
        rows = (
            AuditEntry.objects.filter(position__gt=after)
            .order_by("position")
            .values_list(*COLUMNS)[:BATCH]
        )
        batch = [Line(row[0], row[1] or 0, row[2], row[3], row[4:]) for row in rows]
        if not batch:
            return
        yield batch
        after = batch[-1].position


def _seals_at(position: int) -> set[str] | None:
    """Give the seal before the first line to walk; for the very first line there is none."""
    if position < 1:
        return {""}
    kept = AuditEntry.objects.filter(position=position).values_list("seal", flat=True)
    return set(kept) or None


def _gap(last: int, line: Line) -> Finding:
    first, end = last + 1, line.position - 1
    places = f"Place {first} is" if first == end else f"Places {first} to {end} are"
    sentence = f"{places} empty: what stood before {line.name} was removed."
    return Finding("removed", sentence, position=first)


def _found(kind: str, line: Line, what: str) -> Finding:
    return Finding(kind, f"{line.name} {what}.", line.pk, line.position)


def _contradicted(line: Line, witnesses: list[Witness]) -> Iterator[Finding]:
    for witness in witnesses:
        if witness.seal != line.seal:
            what = (
                f"is not the line that stood there: {witness.source} knows another seal"
            )
            yield _found("anchor", line, what)


def _cut(last: int, told: dict[int, list[Witness]]) -> Iterator[Finding]:
    for position in sorted(told):
        for witness in told[position]:
            if position > last:
                yield Finding(
                    "cut",
                    f"{witness.source} says that the chain reached place {position}; it ends at {last} now: "
                    f"places {last + 1} to {position} were removed.",
                    position=position,
                )


def _set_back(last: int) -> Iterator[Finding]:
    end = AuditChain.objects.filter(pk=CHAIN_PK).first()
    kept = end.position if end else 0
    if kept < last:
        yield Finding(
            "cut",
            f"The kept end of the chain was set back to place {kept}, but lines reach to {last}.",
            position=last,
        )


def _outside() -> Iterator[Finding]:
    """Judge the lines without a place: those that wait, those that nobody of ours wrote, and copies."""
    seen: dict[str, int] = {}
    deadline = timezone.now() - SETTLE
    for entry in unchained():
        name = _name(entry.pk, None, entry.at, entry.verb)
        if not is_authentic(entry.mac, content(entry)):
            yield Finding(
                "inserted", f"{name} was not written by the portal.", entry.pk
            )
            continue
        twin = chained_macs({entry.at}).get(entry.mac) or seen.get(entry.mac)
        seen[entry.mac] = entry.pk
        if twin:
            yield Finding("copied", f"{name} is a copy of entry {twin}.", entry.pk)
        elif entry.at < deadline:
            yield Finding(
                "late",
                f"{name} is not chained yet: see that the worker and the beat run.",
                entry.pk,
            )


def _name(pk: int, position: int | None, at: datetime, verb: str) -> str:
    place = f"place {position}, " if position else ""
    return f"Entry {pk} ({place}{at:%Y-%m-%d %H:%M:%S} UTC, {verb})"
