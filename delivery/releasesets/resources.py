"""Pages and REST endpoints of sets of releases."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_table
from adminset.crud.resource import Action, Panel, Resource
from delivery.models import ReleaseSet, SetRun
from delivery.releasesets.forms import ReleaseSetForm
from delivery.releasesets.starting import save_set
from delivery.triggers.resources import TABS

LATEST = 30


def _places(request: HttpRequest, row: ReleaseSet) -> dict[str, Any]:
    """Give what goes where."""
    return {"places": list(row.ordered_places())}


def _runs(request: HttpRequest, row: ReleaseSet) -> dict[str, Any]:
    """Give its release runs, newest first."""
    seen = SetRun.objects.visible_to(request.user).filter(release_set=row)
    return {"runs": list(seen.order_by("-pk")[:LATEST])}


RELEASE_SETS = Resource(
    model=ReleaseSet,
    table=plain_table(ReleaseSet, "name", "description"),
    form=ReleaseSetForm,
    path="release-sets",
    icon="object-group",
    search=("name", "description"),
    tabs=TABS,
    detail_fields=("description",),
    api_fields=("name", "description", "items"),
    panels=(
        Panel("places", _("What goes where"), "delivery/sets/_places.html", _places),
        Panel(
            "runs",
            _("Release runs"),
            "delivery/sets/_runs.html",
            _runs,
            "delivery.view_setrun",
        ),
    ),
    actions=(
        Action(
            _("Start"), "delivery:releaseset_start", "rocket", "delivery.add_deploy"
        ),
    ),
    save=save_set,
    verbs=frozenset({"add", "change", "delete"}),
)
