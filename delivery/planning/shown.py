"""A plan as it is shown, on a page or to a program: what would be done to which hosts, as far as the reader may know."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset.measures import duration
from adminset.querysets import everywhere
from cmdb.models import HostGroup
from delivery.artefacts.comparing import STATES
from delivery.gate_words import gate_words
from delivery.masking import mask_of
from delivery.planning.shown_config import shown_config
from delivery.selectors import host_ids_seen
from delivery.way_models import Way


@dataclass(frozen=True)
class ShownPlan:
    """What a page draws of a plan, and what a program is told of it.

    Attributes:
        told: the plan as plain values, without anything that the reader may not know; programs get it as it is.
        ways: (label, value) of the policy and what guards it.
        changes: which files come, go and change, by the release that hosts have now.
    """

    told: dict[str, Any]
    ways: list[tuple[str, str]]
    changes: list[dict[str, Any]]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its hosts that the reader may see."""
        return list(self.told["rows"])

    @property
    def hidden(self) -> int:
        """How many other hosts it has."""
        return int(self.told["hidden"])

    @property
    def problems(self) -> list[str]:
        """What keeps it from being done; hosts that the reader does not see are not named."""
        return list(self.told["problems"])

    @property
    def blast(self) -> list[str]:
        """What it touches; nothing for a reader who does not see all of its hosts."""
        return list(self.told["blast"])

    @property
    def warnings(self) -> list[str]:
        """What may go wrong; nothing for a reader who does not see all of its hosts."""
        return list(self.told["warnings"])

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
    def coming(self) -> list[dict[str, Any]]:
        """Commits that come with it."""
        return [one for one in self.told.get("commits", []) if not one.get("gone")]

    @property
    def gone(self) -> list[dict[str, Any]]:
        """Commits that it takes away: what is live is newer."""
        return [one for one in self.told.get("commits", []) if one.get("gone")]

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
    told = _narrowed(user, told)
    changes = [_shown_change(one, told["rows"]) for one in told["changes"]]
    return ShownPlan(told, ways_of(user, told.get("way", {})), changes)


def _narrowed(user: Any, told: dict[str, Any]) -> dict[str, Any]:
    every = rows = told.get("rows", [])
    if not everywhere(user, "cmdb.view_host"):
        seen = host_ids_seen(user, [row["host_id"] for row in rows])
        rows = [row for row in rows if row["host_id"] in seen]
    shown = {row["host_id"] for row in rows}
    beyond = [row["host"] for row in every if row["host_id"] not in shown]
    mask = mask_of(beyond)
    rows = sorted(rows, key=lambda row: (row["batch"], row["host"]))
    rows, unpushed = shown_config(user, rows, told.get("unpushed", []))
    return (
        told
        | unpushed
        | {
            "rows": [row | {"number": row["batch"] + 1} for row in rows],
            "hidden": len(beyond),
            "commands": [
                one | {"host": ""} if one.get("host") in beyond else one
                for one in told.get("commands", [])
            ],
            "problems": [mask(sentence) for sentence in told.get("problems", [])],
            # Blast and warnings may name hosts that are none of the plan's, too.
            "blast": [] if beyond else told.get("blast", []),
            "warnings": [] if beyond else told.get("warnings", []),
            # What hosts have that the reader does not see is not told either.
            "changes": _changes(told, rows),
        }
    )


def _changes(told: dict[str, Any], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    here = {row["from_release"] for row in rows}
    return [one for one in told.get("changes", []) if one["from_release"] in here]


def _shown_change(one: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Give what a plan changes on hosts that have one release, in colours and words."""
    release, counts = one["from_release"], one["counts"]
    named = [(path, *STATES[state]) for path, state in one["named"]]
    return {
        "from_release": release,
        "base_id": one["base_id"],
        "hosts": sum(row["from_release"] == release for row in rows),
        "badges": [(*STATES[state], count) for state, count in counts.items()],
        "named": named,
        "unnamed": sum(counts.values()) - len(named),
    }


def ways_of(user: Any, way: dict[str, Any]) -> list[tuple[str, str]]:
    """Say in words how hosts get the release and what says that they are well; names only what the user may see."""
    if not way:
        return []
    found = [(_("Policy"), policy_words(way))]
    if group := _group_of(way):
        groups = HostGroup.objects.visible_to(user).filter(pk=group)
        name = groups.values_list("name", flat=True).first()
        found.append((_("Group of the canary"), name or _("not for you to see")))
    health = dict(Way.Health.choices).get(way.get("health_kind", ""), "")
    target = str(way.get("health_target", ""))
    found.append((_("Health"), f"{health} {target}".strip()))
    if way.get("gate_metric"):
        comparison = dict(Way.Comparison.choices).get(
            way.get("gate_comparison", ""), ""
        )
        gate = f"{gate_words(way)} {comparison} {way.get('gate_limit')}"
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


def _group_of(way: dict[str, Any]) -> int | None:
    """Give the group whose hosts go first, where the policy has a canary."""
    return way.get("canary_group_id") if way.get("policy") == "canary" else None


def _canary_words(way: dict[str, Any]) -> str:
    watched = duration(way.get("canary_watch_seconds"))
    if _group_of(way):
        words = _("canary: the hosts of a group first, watched for %(time)s")
        return words % {"time": watched}
    count = int(way.get("canary_hosts") or 1)
    words = ngettext(
        "canary: %(hosts)s host first, watched for %(time)s",
        "canary: %(hosts)s hosts first, watched for %(time)s",
        count,
    )
    return words % {"hosts": count, "time": watched}
