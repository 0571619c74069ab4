"""The hosts of a run by how they ended: status and exit code, and within these by output, so that a thousand read as a few rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Min, QuerySet

from tasks import output
from tasks.models import RunHost
from tasks.output_text import first_lines

# What needs a look first.
ORDER = (
    "failed",
    "timed_out",
    "unreachable",
    "unknown",
    "cancelled",
    "running",
    "not_started",
    "skipped",
    "ok",
)
# Different outputs that a group shows, the most frequent first; of all groups together at most MOST_OUTPUTS.
OUTPUTS_SHOWN = 5
MOST_OUTPUTS = 60
SAMPLE_BYTES = 4096
EXPLANATION = 300
NO_CODE = "none"


@dataclass(frozen=True)
class Output:
    """An output that `count` hosts of a group have in common: its first lines, and one of the hosts."""

    digest: str
    count: int
    row: RunHost
    lines: list[str]
    explanation: str


@dataclass(frozen=True)
class Group:
    """Hosts of a run that ended alike; `kinds` is how many different outputs they have."""

    status: str
    state: str
    label: str
    exit_code: int | None
    count: int
    kinds: int
    outputs: list[Output] = field(default_factory=list)

    @property
    def other_outputs(self) -> int:
        """How many different outputs are not shown."""
        return self.kinds - len(self.outputs)

    @property
    def asked(self) -> str:
        """What stands in an address that asks for its hosts."""
        code = NO_CODE if self.exit_code is None else self.exit_code
        return f"status={self.status}&exit={code}"


def groups_of(hosts: QuerySet[RunHost]) -> list[Group]:
    """Group the hosts of a run by status and exit code, with the outputs that most of them have."""
    alike = hosts.order_by().values("status", "exit_code")
    rows = alike.annotate(count=Count("pk"), kinds=Count("output_hash", distinct=True))
    groups = [_group(row) for row in rows]
    groups.sort(key=lambda group: (ORDER.index(group.status), group.exit_code or 0))
    by_key = {(group.status, group.exit_code): group for group in groups}
    for found in _outputs(hosts):
        group = by_key.get((found.row.status, found.row.exit_code))
        if group is not None and len(group.outputs) < OUTPUTS_SHOWN:
            group.outputs.append(found)
    return groups


def _group(row: Any) -> Group:
    status = RunHost.Status(row["status"])
    state, label = RunHost.STATES[status], str(status.label)
    return Group(
        status.value, state, label, row["exit_code"], row["count"], row["kinds"]
    )


def _outputs(hosts: QuerySet[RunHost]) -> Iterable[Output]:
    ended = hosts.exclude(status__in=RunHost.OPEN).order_by()
    alike = ended.values("status", "exit_code", "output_hash")
    found = alike.annotate(count=Count("pk"), sample=Min("pk"))
    most = list(found.order_by("-count", "sample")[:MOST_OUTPUTS])
    samples = RunHost.objects.in_bulk([row["sample"] for row in most])
    for one in most:
        # It may have been cleared away in this moment.
        row = samples.get(one["sample"])
        if row is not None:
            lines = sample_of(row)
            words = "" if lines else row.explanation[:EXPLANATION]
            yield Output(one["output_hash"], one["count"], row, lines, words)


def sample_of(row: RunHost) -> list[str]:
    """Give the first lines of what a host printed."""
    piece = output.read(row.run_id, row.pk, 0, most=SAMPLE_BYTES, last=True)
    return first_lines(piece.text)


def counts_by_status(groups: Iterable[Group]) -> list[Group]:
    """Add the groups of each status up."""
    found: dict[str, Group] = {}
    for group in groups:
        count = group.count + (
            found[group.status].count if group.status in found else 0
        )
        found[group.status] = Group(
            group.status, group.state, group.label, None, count, 0
        )
    return list(found.values())


def narrowed(hosts: QuerySet[RunHost], asked: Any) -> QuerySet[RunHost]:
    """Narrow hosts by what an address says: `status`, `exit` ("none": without one), `output` (a digest), `name` (a part of it)."""
    if status := asked.get("status"):
        hosts = hosts.filter(status=status)
    code = asked.get("exit", "")
    if code == NO_CODE:
        hosts = hosts.filter(exit_code=None)
    elif code:
        number = _number(code)
        hosts = hosts.none() if number is None else hosts.filter(exit_code=number)
    if digest := asked.get("output"):
        hosts = hosts.filter(output_hash=digest[:64])
    if name := asked.get("name", "").strip():
        hosts = hosts.filter(host_name__icontains=name[:253])
    return hosts


def _number(text: str) -> int | None:
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 11 else None
