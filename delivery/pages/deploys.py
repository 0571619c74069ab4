"""Watching a deploy: its page, the log of each step and host, and the card of the latest deploys."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import is_htmx, requires
from adminset.texts import number_of
from delivery.models import Build, Deploy, DeployStep, Pipeline
from delivery.pages.finding import find
from delivery.pages.logs import build_messages, build_panel, panel_context
from delivery.pages.showing import head, of_deploy
from delivery.pages.watching import context_of
from delivery.planning.shown import shown_plan
from delivery.selectors import latest_deploys


@requires("delivery.view_deploy")
@require_safe
def deploy_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how a deploy stands; for htmx only what changes, and the log of the next step where one follows it."""
    deploy = find(Deploy, request.user, pk)
    context = of_deploy(deploy) | context_of(request, deploy)
    if not is_htmx(request):
        context |= _panel(request, deploy, context["steps"], context["now"])
        context |= {"plan": shown_plan(request.user, deploy.plan)}
        return render(request, "delivery/deploy_detail.html", context)
    now = context["now"]
    follows = request.GET.get("follow") == "1"
    if follows and now and number_of(request.GET.get("shown")) != now.pk:
        context |= panel_context(request.user, deploy, now)
        context |= {"turns": True, "follow": True}
    return render(request, "delivery/_deploy_refresh.html", context)


def _panel(
    request: HttpRequest, deploy: Deploy, steps: list[DeployStep], now: Any
) -> dict[str, Any]:
    """Open the log that the address names, else that of what goes on; it is followed then."""
    asked = number_of(request.GET.get("step"))
    step = next((one for one in steps if one.pk == asked), None)
    host = number_of(request.GET.get("host"))
    panel = panel_context(request.user, deploy, step or now, host)
    return panel | {"follow": step is None and deploy.is_open}


@requires("delivery.view_deploy")
@require_safe
def deploy_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the panel with the log of one step (`?step=`), on one host (`?host=`) where it is a leg."""
    deploy = find(Deploy, request.user, pk)
    step = deploy.steps.filter(pk=number_of(request.GET.get("step")) or 0).first()
    if step is None:
        step = _step_of_host(deploy)
    host, row = (number_of(request.GET.get(name)) for name in ("host", "run_host"))
    context = panel_context(request.user, deploy, step, host, row)
    context |= {"follow": request.GET.get("follow") == "1" and deploy.is_open}
    return render(request, "delivery/_deploy_panel.html", context)


def _step_of_host(deploy: Deploy) -> DeployStep | None:
    """Give the leg whose log says most of a host: the last that began."""
    return deploy.steps.filter(run__isnull=False).order_by("-position").first()


@requires("delivery.view_build")
@require_safe
def build_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a build and what it printed; one of a deploy stands on that page."""
    build = find(Build, request.user, pk)
    above = (_("Artefacts"), reverse("delivery:artefact_list"))
    context = head(str(build), above) | {"build": build, "output": build_panel(build)}
    return render(request, "delivery/build_detail.html", context)


@requires("delivery.view_build")
@require_safe
def build_output(request: HttpRequest, pk: int) -> JsonResponse:
    """Give what a build printed since `?offset=` (bytes)."""
    build = find(Build, request.user, pk)
    offset = number_of(request.GET.get("offset")) or 0
    return JsonResponse(build_messages(build, offset))


@requires("delivery.view_deploy")
@require_safe
def pipeline_log(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the last deploy of a pipeline, or to the list that says there is none."""
    pipeline = find(Pipeline, request.user, pk)
    rows = Deploy.objects.visible_to(request.user).filter(pipeline=pipeline)
    last = rows.order_by("-pk").first()
    if last is None:
        return redirect(f"{reverse('delivery:deploy_list')}?pipeline={pipeline.pk}")
    return redirect(last)


@requires("delivery.view_deploy")
@require_safe
def card(request: HttpRequest) -> HttpResponse:
    """Draw the card of the home page: the latest deploys."""
    rows = [
        {
            "title": f"{one.pipeline.project} {one.release}".strip(),
            "url": one.get_absolute_url(),
            "state": one.state,
            "state_label": one.label,
            "when": one.created_at,
            "text": one.environment.name,
        }
        for one in latest_deploys(request.user)
    ]
    context = {
        "rows": rows,
        "more_url": reverse("delivery:deploy_list"),
        "more_title": _("All deploys"),
        "empty": _("Nothing was delivered yet."),
    }
    return render(request, "components/_card.html", context)
