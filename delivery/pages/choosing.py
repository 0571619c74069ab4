"""From the page of an application or of an environment to a deploy: with its one pipeline at once, else by choosing one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import requires
from adminset.querysets import may
from appconf.models import Environment, Project
from delivery.models import Pipeline
from delivery.pages.finding import environments_to, find, pipelines_to
from delivery.pages.showing import head

DEPLOYS = "delivery.add_deploy"


def may_deploy_project(user: Any, project: Project) -> bool:
    """Say whether there is a pipeline by which the user may deliver the project somewhere."""
    return bool(user.has_perm(DEPLOYS) and _pipelines_of(user, project))


def may_deploy_environment(user: Any, environment: Environment) -> bool:
    """Say whether there is a pipeline by which the user may deliver to the environment."""
    allowed = user.has_perm(DEPLOYS) and may(user, "deploy", environment)
    return bool(allowed and pipelines_to(user, environment))


def _pipelines_of(user: Any, project: Project) -> list[Pipeline]:
    rows = Pipeline.objects.visible_to(user).filter(project=project, is_active=True)
    listed = rows.select_related("project", "template").order_by("name", "pk")
    return [one for one in listed if environments_to(user, one).exists()]


@requires(DEPLOYS)
@require_safe
def project_deploy(request: Any, pk: int) -> HttpResponse:
    """Lead to the deploy of a project; ask by which pipeline where it has several."""
    project = find(Project, request.user, pk)
    return _chosen(request, project, _pipelines_of(request.user, project))


@requires(DEPLOYS)
@require_safe
def environment_deploy(request: Any, pk: int) -> HttpResponse:
    """Lead to the deploy to an environment; ask by which pipeline where several go there."""
    environment = find(Environment, request.user, pk, "deploy")
    found = pipelines_to(request.user, environment)
    return _chosen(request, environment, found, f"?environment={environment.pk}")


def _chosen(
    request: HttpRequest, target: Any, found: list[Pipeline], query: str = ""
) -> HttpResponse:
    ways = [
        (one, reverse("delivery:pipeline_deploy", args=[one.pk]) + query)
        for one in found
    ]
    if len(ways) == 1:
        return redirect(ways[0][1])
    above = (str(target), target.get_absolute_url())
    context = head(_("Deploy"), above) | {"target": target, "ways": ways}
    return render(request, "delivery/choose_pipeline.html", context)
