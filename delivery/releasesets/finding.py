"""Sets that go or went, as somebody may see them: one by its key, and how far it is."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _

from delivery.models import Deploy, SetRun

RELATED = (
    "pipeline__project",
    "environment__project",
    "request__deploy",
    "back_request__deploy",
    "before__project",
)


def find_run(user: Any, pk: int) -> SetRun:
    """Get a set that goes or went.

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
        raise Http404(_("There is no such set that goes."))
    return run


def progress_of(user: Any, run: SetRun) -> dict[str, Any]:
    """Give its parts in their order, which of their deploys the user may see, and how many of a hundred ended."""
    parts = list(run.parts.select_related(*RELATED).order_by("position"))
    wishes = [wish for part in parts for wish in (part.request, part.back_request)]
    keys = [wish.deploy_id for wish in wishes if wish is not None and wish.deploy_id]
    seen = Deploy.objects.visible_to(user).filter(pk__in=keys)
    done = sum(part.state not in ("waiting", "going", "going_back") for part in parts)
    return {
        "run": run,
        "parts": parts,
        "seen": set(seen.values_list("pk", flat=True)),
        "percent": 100 * done // len(parts) if parts else 0,
    }
