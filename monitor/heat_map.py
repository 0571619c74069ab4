"""All hosts as squares, by group, coloured by a current value: where in the fleet it burns."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cmdb.membership import dynamic_groups, dynamic_members
from cmdb.models import Host, HostGroup
from monitor import current
from monitor.charts import unit_of
from monitor.metrics import describe
from monitor.selectors import groups_of, watched_hosts

DEFAULT = "cpu.busy_percent"
# Squares of one group; what burns stands first, so what is left out is calm.
MOST_SQUARES = 80
# From these shares of the top on, the next colour begins.
STEPS = (0.2, 0.4, 0.6, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Square:
    """One host: its key and name, its value (None: it sent none), and its colour, 0 to 5."""

    pk: int
    name: str
    value: float | None
    step: int


@dataclass(frozen=True)
class Block:
    """One group (none: hosts of no group), with its squares, worst first.

    Attributes:
        total: hosts of it; known: those of them that sent a value.
        average, highest: of the known ones. unit: of the values.
    """

    group: HostGroup | None
    squares: Sequence[Square]
    total: int
    known: int
    average: float | None
    highest: float | None
    unit: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.group) if self.group else _("in no group")

    @property
    def drawn(self) -> SafeString:
        """Draw the squares: a template would take a second for those of a large fleet."""
        before, _zero, behind = reverse("monitor:host", args=[0]).rpartition("0")
        unknown = _("no data")
        return format_html_join(
            "",
            '<li><a class="heat heat-{}" href="{}{}{}" title="{}: {}"><span class="visually-hidden">{}</span></a></li>',
            (
                (
                    "none" if square.value is None else square.step,
                    before,
                    square.pk,
                    behind,
                    square.name,
                    unknown
                    if square.value is None
                    else f"{square.value:.1f} {self.unit}",
                    square.name,
                )
                for square in self.squares
            ),
        )

    @property
    def left_out(self) -> int:
        """Hosts that are not drawn."""
        return self.total - len(self.squares)


def heat_map(user: Any, metric: str, group: str = "") -> list[Block]:
    """Give the blocks of the map; a host of several groups stands in each.

    Args:
        group: key of the only group to draw, "" for all.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    values = current.values_of(metric)
    names = dict(watched_hosts(user).values_list("pk", "hostname"))
    members = _members(user, names, group)
    top = top_of(metric, (values[key] for key in names if key in values))
    unit = unit_of(metric)
    return [block_of(each, keys, names, values, top, unit) for each, keys in members]


def top_of(metric: str, values: Iterable[float]) -> float:
    """Give what the hottest colour stands for: 100 % of percentages, of all else the highest value there is."""
    known = describe(metric)
    if known is not None and known.unit == "percent":
        return 100.0
    return max(values, default=0.0)


def step_of(value: float | None, top: float) -> int:
    """Give the colour of a value: 0 (calm) to 5."""
    if value is None or top <= 0:
        return 0
    return sum(1 for share in STEPS if value / top >= share)


def _members(
    user: Any, names: Mapping[int, str], group: str
) -> list[tuple[HostGroup | None, list[int]]]:
    """Give the groups that the reader may see with the hosts that he may look at; then those of no group."""
    groups = {each.pk: each for each in groups_of(user)}
    found: defaultdict[int, list[int]] = defaultdict(list)
    through = Host.groups.through.objects.values_list("hostgroup_id", "host_id")
    for group_id, host_id in through:
        if host_id in names:
            found[group_id].append(host_id)
    moving = [each for key, each in dynamic_groups().items() if key in groups]
    for host_id, each in dynamic_members(moving, watched_hosts(user)):
        found[each.pk].append(host_id)
    listed: list[tuple[HostGroup | None, list[int]]] = [
        (each, found[key])
        for key, each in groups.items()
        if found[key] and group in {"", str(key)}
    ]
    if not group:
        placed = {host_id for _group, keys in listed for host_id in keys}
        rest = [host_id for host_id in names if host_id not in placed]
        listed += [(None, rest)] if rest else []
    return listed


def block_of(
    group: HostGroup | None,
    keys: Sequence[int],
    names: Mapping[int, str],
    values: Mapping[int, float],
    top: float,
    unit: str = "",
) -> Block:
    """Make the block of some hosts, the highest values first.

    Args:
        keys: the hosts. names, values: of them and others. top: what the hottest colour stands for.
        unit: sign or word of theirs.
    """
    ordered = sorted(
        keys, key=lambda key: (key not in values, -values.get(key, 0.0), names[key])
    )
    known = [values[key] for key in keys if key in values]
    squares = [
        Square(key, names[key], values.get(key), step_of(values.get(key), top))
        for key in ordered[:MOST_SQUARES]
    ]
    return Block(
        group=group,
        squares=squares,
        total=len(keys),
        known=len(known),
        average=sum(known) / len(known) if known else None,
        highest=max(known, default=None),
        unit=unit,
    )
