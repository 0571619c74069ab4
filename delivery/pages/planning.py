"""A plan as a page shows it: what would be done to which hosts, as far as the reader may know."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset.measures import duration
from adminset.querysets import everywhere
from delivery.pages.finding import host_ids_seen
from delivery.pages.masking import mask_of
from delivery.way_models import Way


@dataclass(frozen=True)
class ShownPlan:
    """What the page draws of a plan.

    Attributes:
        rows: its hosts that the reader may see; hidden: how many others there are.
        blast, warnings: sentences; they name hosts, so whoever does not see all hosts is not told them.
        ways: (label, value) of the policy and what guards it.
    """

    told: dict[str, Any]
    rows: list[dict[str, Any]]
    hidden: int = 0
    problems: list[str] = field(default_factory=list)
    blast: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    ways: list[tuple[str, str]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many hosts it is for."""
        return len(self.rows) + self.hidden

    @property
    def bytes(self) -> int | None:
        """Bytes to send to the hosts that are shown; None where that is not known yet."""
        known = [row["bytes"] for row in self.rows if row.get("bytes") is not None]
        return sum(known) if known and len(known) == len(self.rows) else None

    @property
    def unchanged(self) -> int:
        """How many hosts have this very release already."""
        release = self.told.get("to_release")
        return sum(
            bool(release) and row["from_release"] == release for row in self.rows
        )


def shown_plan(user: Any, told: dict[str, Any]) -> ShownPlan | None:
    """Narrow a plan to what a reader may know; None where there is none.

    Args:
        told: a plan as plain values, see delivery/planning/plan.py.
    """
    if not told.get("rows") and not told.get("hash"):
        return None
    rows = told.get("rows", [])
    if not everywhere(user, "cmdb.view_host"):
        seen = host_ids_seen(user, [row["host_id"] for row in rows])
        rows = [row for row in rows if row["host_id"] in seen]
    shown = {row["host_id"] for row in rows}
    beyond = [r["host"] for r in told.get("rows", []) if r["host_id"] not in shown]
    hidden, mask = len(beyond), mask_of(beyond)
    problems = [mask(sentence) for sentence in told.get("problems", [])]
    rows = sorted(rows, key=lambda row: (row["batch"], row["host"]))
    rows = [row | {"number": row["batch"] + 1} for row in rows]
    ways = ways_of(told.get("way", {}))
    if hidden:
        # Blast and warnings may name hosts that are none of the plan's, too.
        return ShownPlan(told, rows, hidden, problems, ways=ways)
    blast, warnings = told.get("blast", []), told.get("warnings", [])
    return ShownPlan(told, rows, hidden, problems, blast, warnings, ways)


def ways_of(way: dict[str, Any]) -> list[tuple[str, str]]:
    """Say in words how hosts get the release and what says that they are well."""
    if not way:
        return []
    found = [(_("Policy"), policy_words(way))]
    health = dict(Way.Health.choices).get(way.get("health_kind", ""), "")
    target = str(way.get("health_target", ""))
    found.append((_("Health"), f"{health} {target}".strip()))
    if way.get("gate_metric"):
        comparison = dict(Way.Comparison.choices).get(
            way.get("gate_comparison", ""), ""
        )
        gate = f"{way['gate_metric']} {comparison} {way.get('gate_limit')}"
        found.append((_("Gate by measured values"), gate))
    back = _("yes") if way.get("auto_rollback") else _("no")
    found.append((_("Takes back by itself"), back))
    return found


def policy_words(way: dict[str, Any]) -> str:
    """Say a policy with its batches."""
    policy, batches = way.get("policy", ""), str(way.get("batches") or "")
    parts = [str(dict(Way.Policy.choices).get(policy, "-"))]
    if policy == Way.Policy.CANARY:
        parts = [_canary_words(way)]
        if batches:
            parts.append(_("then in batches of %(sizes)s") % {"sizes": batches})
    elif policy == Way.Policy.BATCHES and batches:
        parts.append(batches)
    if way.get("pause_after") in ("failure", "always"):
        pause = dict(Way.Pause.choices)[way["pause_after"]]
        parts.append(_("a person is asked: %(when)s") % {"when": pause})
    return ", ".join(parts)


def _canary_words(way: dict[str, Any]) -> str:
    count = int(way.get("canary_hosts") or 1)
    words = ngettext(
        "canary: %(hosts)s host first, watched for %(time)s",
        "canary: %(hosts)s hosts first, watched for %(time)s",
        count,
    )
    watched = duration(way.get("canary_watch_seconds"))
    return words % {"hosts": count, "time": watched}
