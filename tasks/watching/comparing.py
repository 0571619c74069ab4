"""Two runs side by side: how each host ended then and now, whether it printed the same, and where the difference lies."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from adminset.text_diffs import FileDiff, compare_texts
from tasks import output
from tasks.feed import hosts_seen
from tasks.models import Run, RunHost
from tasks.output_text import plain

SAME, DIFFERENT, UNKNOWN = "same", "different", "unknown"
# Of a longer output only so much of its beginning and of its end is compared.
END_BYTES = 64 * 1024
END_LINES = 1500


@dataclass(frozen=True)
class Pair:
    """A host of two runs; None where it was not in one of them."""

    name: str
    then: RunHost | None
    now: RunHost | None

    @property
    def output(self) -> str:
        """Whether it printed the same: same, different, unknown (an output was not taken in whole)."""
        if self.then is None or self.now is None:
            return ""
        hashes = {self.then.output_hash, self.now.output_hash}
        nothing = not self.then.stored_bytes and not self.now.stored_bytes
        if "" in hashes and not nothing:
            return UNKNOWN
        return SAME if len(hashes) == 1 or nothing else DIFFERENT

    @property
    def ended_alike(self) -> bool:
        """Whether it is in both with the same status and exit code."""
        if self.then is None or self.now is None:
            return False
        then = (self.then.status, self.then.exit_code)
        return then == (self.now.status, self.now.exit_code)

    @property
    def is_same(self) -> bool:
        """Whether nothing is different."""
        return self.ended_alike and self.output == SAME


@dataclass(frozen=True)
class Tally:
    """How many hosts are the same, ended otherwise, printed something else, are in one run only."""

    same: int
    otherwise: int
    printed: int
    only_then: int
    only_now: int


def pairs_of(user: Any, then: Run, now: Run) -> list[Pair]:
    """Put the hosts of two runs that the user sees side by side, those with a difference first."""
    older, newer = (_rows(user, run) for run in (then, now))
    names = {key: row.host_name for key, row in (older | newer).items()}
    pairs = [Pair(name, older.get(key), newer.get(key)) for key, name in names.items()]
    return sorted(pairs, key=_rank)


def _rows(user: Any, run: Run) -> dict[int | str, RunHost]:
    rows = hosts_seen(user, run).defer("explanation")
    return {row.host_id or row.host_name: row for row in rows}


def _rank(pair: Pair) -> tuple[bool, bool, str]:
    return pair.is_same, pair.ended_alike, pair.name


def tally(pairs: Iterable[Pair]) -> Tally:
    """Count what is the same and what is not."""
    pairs = list(pairs)
    both = [pair for pair in pairs if pair.then and pair.now]
    alike = [pair for pair in both if pair.ended_alike]
    return Tally(
        same=sum(pair.is_same for pair in alike),
        otherwise=len(both) - len(alike),
        printed=sum(pair.output == DIFFERENT for pair in alike),
        only_then=sum(pair.now is None for pair in pairs),
        only_now=sum(pair.then is None for pair in pairs),
    )


def diff_of(then: RunHost, now: RunHost) -> tuple[FileDiff, bool]:
    """Compare what a host printed in two runs; says too whether only beginnings and ends were compared."""
    (older, cut), (newer, also_cut) = _ends_of(then), _ends_of(now)
    return compare_texts("", older, newer), cut or also_cut


def _ends_of(row: RunHost) -> tuple[str, bool]:
    """Give what is compared of an output, and whether that is not all of it."""
    size = output.size(row.run_id, row.pk)
    if size <= 2 * END_BYTES:
        piece = output.read(row.run_id, row.pk, 0, most=2 * END_BYTES, last=True)
        lines, cut = plain(piece.text).split("\n"), False
    else:
        head = output.read(row.run_id, row.pk, 0, most=END_BYTES)
        tail = output.read_before(row.run_id, row.pk, size, most=END_BYTES)
        lines = [*_lines(head.text), _left_out(), *_lines(tail.text)]
        cut = True
    if len(lines) > 2 * END_LINES:
        lines = [*lines[:END_LINES], _left_out(), *lines[-END_LINES:]]
        cut = True
    return "\n".join(lines), cut


def _lines(text: str) -> Sequence[str]:
    return plain(text).split("\n")


def _left_out() -> str:
    return _("[AdminSet: the middle is not compared]")
