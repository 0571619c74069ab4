"""The pages and REST endpoints of sites."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Panel, Resource
from adminset.querysets import everywhere
from tasks.models import Site
from tasks.sites.filters import SiteFilter
from tasks.sites.forms import SiteForm
from tasks.sites.health import (
    failures_of,
    health_of,
    parts_of,
    with_jumps,
    with_last_failure,
)
from tasks.sites.services import save_site
from tasks.sites.signs import fallback_words
from tasks.sites.tables import SiteTable


class SiteResource(Resource):
    """Sites: each with when a run last ended badly there, of the runs that the reader may see."""

    def for_list(self, rows: QuerySet, user: Any) -> QuerySet:
        """Bring along what a row shows."""
        return with_last_failure(super().for_list(rows, user), user)


def _state(request: HttpRequest, site: Site) -> dict[str, Any]:
    """Give how a site does, the work that its workers have or should have, and what ended badly there."""
    known = with_jumps(Site.objects.filter(pk=site.pk)).get()
    return {
        "health": health_of([known])[site.pk],
        "site": known,
        "fallback": fallback_words(known) if known.has_queue else "",
        "parts": parts_of(request.user, known) if known.has_queue else [],
        "failures": failures_of(request.user, known),
        "can_close": everywhere(request.user, "tasks.change_site"),
    }


SITES = SiteResource(
    model=Site,
    table=SiteTable,
    form=SiteForm,
    filterset=SiteFilter,
    path="sites",
    icon="tower-broadcast",
    search=("idc__name", "idc__code", "notes"),
    panels=(Panel("state", _("State"), "tasks/sites/_state.html", _state),),
    detail_fields=(*SiteForm.Meta.fields, "seen_at"),
    api_fields=(*SiteForm.Meta.fields, "seen_at"),
    list_queryset=with_jumps,
    save=save_site,
)
