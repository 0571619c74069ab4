"""What a panel of a dashboard is, and the check that each one passes, whether a form, a file or a program brings it."""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from monitor.chart_list import is_metric_name
from monitor.titles import title_of

KINDS = (
    ("line", _lazy("lines over time")),
    ("stat", _lazy("one number")),
    ("table", _lazy("table of hosts")),
    ("heat", _lazy("heat map of hosts")),
)
WAYS = (
    ("average", _lazy("average of the hosts")),
    ("sum", _lazy("sum of the hosts")),
    ("highest", _lazy("highest of the hosts")),
    ("top", _lazy("the highest hosts")),
)
MOST_PANELS, MOST_HOSTS, MOST_TOP = 30, 50, 20
LONGEST_TITLE = 80
ID = re.compile(r"\A[a-z0-9]{1,16}\Z")


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        id: its name within the dashboard.
        kind: "line", "stat", "table" or "heat".
        title: empty: the metric's.
        hosts: keys of hosts. group: key of a host group. Neither: all that the reader may look at.
        way: how many hosts become few lines or one number.
        top: lines or rows at most.
        wide: as wide as the page.
    """

    id: str
    kind: str
    metric: str
    title: str = ""
    hosts: tuple[int, ...] = ()
    group: int | None = None
    way: str = "average"
    top: int = 5
    wide: bool = False

    @property
    def name(self) -> str:
        """What stands over it."""
        return self.title or title_of(self.metric)

    def as_json(self) -> dict[str, Any]:
        """Give it as the dashboard keeps it."""
        return asdict(self) | {"hosts": list(self.hosts)}


def new_id() -> str:
    """Make a name for a panel."""
    return secrets.token_hex(4)


def panels_of(kept: Sequence[Mapping[str, Any]]) -> list[Panel]:
    """Read the panels that a dashboard keeps."""
    return [panel_of(each) for each in kept]


def checked(given: Any) -> list[dict[str, Any]]:
    """Check panels of a stranger and give them as a dashboard keeps them.

    Raises:
        ValidationError: says which panel is wrong, and in what.
    """
    if not isinstance(given, list) or len(given) > MOST_PANELS:
        raise ValidationError(
            _("A dashboard has a list of at most %(most)s panels.")
            % {"most": MOST_PANELS}
        )
    panels = []
    for number, each in enumerate(given, 1):
        try:
            panels.append(panel_of(each).as_json())
        except ValueError as error:
            raise ValidationError(
                _("Panel %(number)s: %(fault)s") % {"number": number, "fault": error}
            ) from error
    if len({each["id"] for each in panels}) < len(panels):
        raise ValidationError(_("Two panels have the same id."))
    return panels


def panel_of(given: Any) -> Panel:
    """Read one panel.

    Raises:
        ValueError: says what is wrong with it.
    """
    if not isinstance(given, Mapping) or set(given) - set(Panel.__dataclass_fields__):
        raise ValueError(
            _("it is an object with the keys %(keys)s.")
            % {"keys": ", ".join(Panel.__dataclass_fields__)}
        )
    hosts, group = given.get("hosts", ()), given.get("group")
    _must(_is_id(given.get("id")), _("id is up to 16 small letters and digits."))
    _must(given.get("kind") in dict(KINDS), _choice("kind", KINDS))
    _must(given.get("way", "average") in dict(WAYS), _choice("way", WAYS))
    _must(is_metric_name(given.get("metric")), _("metric is no name of a metric."))
    _must(
        _is_title(given.get("title", "")), _("title is a text of up to 80 characters.")
    )
    _must(_are_keys(hosts), _("hosts is a list of up to 50 keys of hosts."))
    _must(
        group is None or _is_key(group), _("group is the key of a host group, or null.")
    )
    _must(_is_top(given.get("top", 5)), _("top is a number from 1 to 20."))
    _must(isinstance(given.get("wide", False), bool), _("wide is true or false."))
    return Panel(**{**given, "hosts": tuple(hosts)})


def _must(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(fault)


def _choice(name: str, choices: Sequence[tuple[str, Any]]) -> str:
    words = ", ".join(key for key, _title in choices)
    return _("%(name)s is one of %(words)s.") % {"name": name, "words": words}


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(ID.match(value))


def _is_title(value: Any) -> bool:
    return (
        isinstance(value, str) and len(value) <= LONGEST_TITLE and "\x00" not in value
    )


def _is_key(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


def _are_keys(value: Any) -> bool:
    listed = isinstance(value, list | tuple) and len(value) <= MOST_HOSTS
    return listed and all(_is_key(each) for each in value)


def _is_top(value: Any) -> bool:
    return _is_key(value) and value <= MOST_TOP
