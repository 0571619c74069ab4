"""Where an artefact goes next: the environment behind those where it ran well, by their position, and the form of that deploy."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import requires
from appconf.models import Environment
from delivery.models import Artefact, Deploy, LiveRelease, Pipeline
from delivery.pages.finding import environments_to, find


def next_place(
    user: Any, artefact: Artefact, pipeline: Pipeline, after: Environment
) -> Environment | None:
    """Give the next environment, by position, where an artefact is not live and to which the user may deploy; None: there is none."""
    if artefact.bad or not artefact.is_stored or not pipeline.is_active:
        return None
    live = LiveRelease.objects.filter(environment=OuterRef("pk"))
    same, other = live.filter(artefact=artefact), live.exclude(artefact=artefact)
    behind = Q(position=after.position, name=after.name, pk__gt=after.pk)
    behind |= Q(position=after.position, name__gt=after.name)
    rows = environments_to(user, pipeline).filter(
        behind | Q(position__gt=after.position)
    )
    return rows.exclude(Exists(same) & ~Exists(other)).first()


def promotion_of(
    user: Any, artefact: Artefact
) -> tuple[Pipeline | None, Environment | None]:
    """Give by which pipeline an artefact goes on, and to where: behind the first environment where it ran well, as far as the user may know."""
    seen = Deploy.objects.visible_to(user).filter(artefact=artefact)
    well = seen.filter(status=Deploy.Status.OK).defer("plan")
    related = ("environment", "pipeline__project")
    order = ("environment__position", "environment__name", "environment", "-pk")
    ran = well.select_related(*related).order_by(*order).first()
    if ran is None:
        return None, None
    mine = Pipeline.objects.visible_to(user).filter(project=artefact.project_id)
    rows = list(mine.filter(is_active=True).order_by("name", "pk"))
    for pipeline in sorted(rows, key=lambda one: one.pk != ran.pipeline_id):
        place = next_place(user, artefact, pipeline, ran.environment)
        if place is not None:
            return pipeline, place
    return None, None


def words_of(place: Environment | None) -> str:
    """Say on a button where it promotes to; "" where to nowhere."""
    if place is None:
        return ""
    return _("Promote to %(environment)s") % {"environment": place.name}


def form_address(pipeline_id: int, place: Environment, artefact: Artefact) -> str:
    """Give the form of a deploy with all of it filled in; its plan is shown before anything happens."""
    asked = {
        "environment": place.pk,
        "ref_kind": Deploy.RefKind.ARTEFACT.value,
        "ref": artefact.pk,
    }
    address = reverse("delivery:pipeline_deploy", args=[pipeline_id])
    return f"{address}?{urlencode(asked)}"


def offered_of(user: Any, deploy: Deploy) -> dict[str, str]:
    """Give what the page of a deploy offers: words and address of the promotion; "" where there is none."""
    artefact, place = deploy.artefact, None
    ended_well = deploy.status == Deploy.Status.OK and not deploy.is_rollback
    if ended_well and artefact is not None and user.has_perm("delivery.add_deploy"):
        place = next_place(user, artefact, deploy.pipeline, deploy.environment)
    if artefact is None or place is None:
        return {"promote_word": "", "promote_url": ""}
    address = form_address(deploy.pipeline_id, place, artefact)
    return {"promote_word": words_of(place), "promote_url": address}


@requires("delivery.add_deploy")
@require_safe
def artefact_promote(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the form of a deploy of an artefact to the next environment."""
    artefact = find(Artefact, request.user, pk)
    pipeline, place = promotion_of(request.user, artefact)
    if pipeline is None or place is None:
        words = _("There is no further environment to which it could be promoted.")
        messages.info(request, words)
        return redirect(artefact)
    return redirect(form_address(pipeline.pk, place, artefact))
