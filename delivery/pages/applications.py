"""What delivery shows on the pages of applications: what is live where, the pipelines, the latest deploys."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import requires
from appconf.extensions import Live
from appconf.models import Environment, Project
from cmdb.models import Host
from delivery.models import Deploy, LiveRelease, Pipeline
from delivery.pages.finding import find
from delivery.progress import with_progress
from delivery.selectors import places_of_project, reached_by
from monitor.compare import MOST_HOSTS
from monitor.selectors import PERMISSION, watched_hosts

LATEST = 10


def live_releases(
    user: Any, environments: Sequence[Environment]
) -> dict[tuple[int, int], Live]:
    """Say what is live on the hosts of some environments, as far as a user may see it."""
    seen = Host.objects.visible_to(user)
    rows = LiveRelease.objects.visible_to(user).filter(
        environment__in=[one.pk for one in environments], host__in=seen
    )
    listed = rows.select_related("host")
    return {(row.environment_id, row.host_id): _live(row) for row in listed}


def _live(row: LiveRelease) -> Live:
    state, words = "ok", ""
    if row.has_drifted:
        state, words = "warning", row.drift_words
    elif row.problem:
        state, words = "danger", row.problem
    url = reverse("delivery:environment_live", args=[row.environment_id])
    return Live(row.release, state, words, url, row.since)


def of_project(request: HttpRequest, project: Project) -> dict[str, Any]:
    """Give the pipelines of a project, what is live where, and its latest deploys."""
    pipelines = Pipeline.objects.visible_to(request.user).filter(project=project)
    rows = Deploy.objects.visible_to(request.user).filter(pipeline__project=project)
    related = ("pipeline__project", "environment__project", "artefact__project")
    deploys = with_progress(rows.select_related(*related).defer("plan"))
    shown = list(pipelines.select_related("project", "template"))
    only = shown[0] if len(shown) == 1 else None
    return {
        "pipelines": shown,
        "pipeline": only,
        "reached": reached_by(only) if only else set(),
        "places": places_of_project(request.user, project),
        "deploys": deploys.order_by("-pk")[:LATEST],
        "narrow": f"project={project.pk}",
        "source_keys": project.source_keys.all(),
    }


@requires(PERMISSION)
@require_safe
def environment_charts(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the charts of an environment's hosts side by side, where its deploys are marked; the first ones where there are many."""
    environment = find(Environment, request.user, pk)
    named = environment.all_hosts().order_by().values("pk")
    hosts = watched_hosts(request.user).filter(pk__in=named)
    chosen = list(hosts.order_by("hostname", "pk").values_list("pk", flat=True))
    if not chosen:
        messages.info(request, _("It has no hosts that you may watch."))
        return redirect(environment)
    asked = urlencode([("host", key) for key in chosen[:MOST_HOSTS]])
    return redirect(f"{reverse('monitor:compare')}?{asked}")
