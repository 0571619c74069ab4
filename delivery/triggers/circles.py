"""Follow-ups that would lead back to where they began: found before they are saved, also where two are saved at once."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from adminset.errors import Conflict
from adminset.models import PortalSwitch
from delivery.models import FollowUp

LOCK = "delivery follow-ups"
CIRCLE_NAMED = 6
Node = tuple[int, int]


def closes_circle(rule: FollowUp) -> list[str]:
    """Give the places of the circle that a rule would close, in order; nothing where it closes none.

    Rules that are off count: somebody may turn them on.
    """
    others = FollowUp.objects.exclude(pk=rule.pk or 0)
    ways: dict[Node, list[Node]] = {}
    for one in others:
        ways.setdefault(_from(one), []).append(_to(one))
    path = _path(ways, _to(rule), _from(rule))
    return _names([_from(rule), *path]) if path else []


def ensure_no_circle(rule: FollowUp) -> None:
    """Let pass a rule that leads nowhere back to where it began.

    Raises:
        Conflict: it closes a circle; names the places.
    """
    circle = closes_circle(rule)
    if circle:
        words = _("This would go in a circle: %(places)s.")
        shown = " → ".join(circle[:CIRCLE_NAMED])
        raise Conflict(words % {"places": shown}, code="circle")


def alone() -> None:
    """Let nobody else save a follow-up until this transaction has ended: two that are right alone may close a circle together."""
    PortalSwitch.objects.select_for_update().get_or_create(name=LOCK)


def _from(rule: FollowUp) -> Node:
    return rule.after_pipeline_id, rule.after_environment_id


def _to(rule: FollowUp) -> Node:
    return rule.pipeline_id, rule.environment_id


def _path(ways: dict[Node, list[Node]], start: Node, end: Node) -> list[Node]:
    """Find a way by breadth; nothing where there is none."""
    waiting, came = [start], {start: start}
    while waiting:
        here = waiting.pop(0)
        if here == end:
            return _walked(came, start, end)
        for there in ways.get(here, ()):
            if there not in came:
                came[there] = here
                waiting.append(there)
    return []


def _walked(came: dict[Node, Node], start: Node, end: Node) -> list[Node]:
    path = [end]
    while path[-1] != start:
        path.append(came[path[-1]])
    return path[::-1]


def _names(nodes: Iterable[Node]) -> list[str]:
    rows = FollowUp.objects.select_related(
        "pipeline__project",
        "environment",
        "after_pipeline__project",
        "after_environment",
    )
    known: dict[Node, str] = {}
    for one in rows:
        known[_from(one)] = f"{one.after_pipeline} → {one.after_environment.name}"
        known[_to(one)] = f"{one.pipeline} → {one.environment.name}"
    return [known.get(node, "?") for node in nodes]
