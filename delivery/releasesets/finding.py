"""Release runs as somebody may see them: one by its key, and how far it is."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _

from appconf.models import Environment
from delivery.masking import mask_for, mask_request, speaks
from delivery.models import Deploy, DeployRequest, SetPart, SetRun

RELATED = (
    "pipeline__project",
    "environment__project",
    "request__deploy",
    "back_request__deploy",
    "before__project",
)
# Large, and read again and again while a set goes.
PLANS = ("request__deploy__plan", "back_request__deploy__plan")


def find_run(user: Any, pk: int) -> SetRun:
    """Get a release run.

    Raises:
        Http404: there is none, or the user may not see it.
    """
    run = (
        SetRun.objects.visible_to(user)
        .select_related("release_set")
        .filter(pk=pk)
        .first()
    )
    if run is None:
        raise Http404(_("There is no such release run."))
    return run


def progress_of(user: Any, run: SetRun) -> dict[str, Any]:
    """Give its parts in their order, which of their deploys the user may see, and how many of a hundred ended."""
    rows = run.parts.select_related(*RELATED).defer(*PLANS)
    parts = list(rows.order_by("position"))
    mask_run(user, run, parts)
    seen = Deploy.objects.visible_to(user).filter(pk__in=_deploys(_asked(parts)))
    done = sum(part.state not in SetPart.OPEN for part in parts)
    return {
        "run": run,
        "parts": parts,
        "seen": set(seen.values_list("pk", flat=True)),
        "percent": 100 * done // len(parts) if parts else 0,
        "can_take_back": _may_take_back(user, run, parts),
    }


def _may_take_back(user: Any, run: SetRun, parts: Sequence[SetPart]) -> bool:
    """Whether the page offers the way back; its own page says what stands in the way."""
    if run.is_open or not any(part.is_out for part in parts):
        return False
    if not user.has_perm("delivery.add_deploy"):
        return False
    wanted = {part.environment_id for part in parts}
    mine = Environment.objects.visible_to(user, "deploy").filter(pk__in=wanted)
    return mine.count() == len(wanted)


def mask_run(user: Any, run: SetRun, parts: Sequence[SetPart]) -> None:
    """Take the names of hosts that a user may not see out of what a release run, its parts and their requests say.

    The rows are changed in memory only: they are there to be shown, not to be saved.
    """
    asked = _asked(parts)
    said = [run.explanation, *(part.words for part in parts)]
    if not any([*said, *map(speaks, asked)]):
        return
    environments = [part.environment_id for part in parts]
    mask = mask_for(user, environments, _deploys(asked))
    run.explanation = mask(run.explanation)
    for part in parts:
        part.words = mask(part.words)
    for request in asked:
        mask_request(request, mask)


def _asked(parts: Iterable[SetPart]) -> list[DeployRequest]:
    both = (each for part in parts for each in (part.request, part.back_request))
    return [each for each in both if each is not None]


def _deploys(asked: Iterable[DeployRequest]) -> list[int]:
    return [each.deploy_id for each in asked if each.deploy_id]
