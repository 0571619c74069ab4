"""Pages of pushes: the plan that a person says yes to, the push itself, reading back, cancelling."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import requires
from appconf.models import Environment
from appconf.resources import ENVIRONMENT
from delivery.configs import pushing, reading
from delivery.configs.planning import ConfigPlan, make_plan
from delivery.configs.resources import CONFIG_PUSHES, DEPLOY

REASON_LENGTH = 250


@requires(DEPLOY)
@require_http_methods(["GET", "HEAD", "POST"])
def environment_config(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a push would do (`?file=` narrows it), and begin it once somebody says yes to exactly that."""
    environment = _environment(request, pk)
    chosen = _chosen(request)
    if request.method == "POST":
        push = pushing.request_push(
            actor=request.user,
            environment=environment,
            plan_hash=request.POST.get("hash", ""),
            reason=request.POST.get("reason", "")[:REASON_LENGTH],
            file_ids=chosen,
        )
        messages.success(request, _("%(push)s has begun.") % {"push": push})
        return redirect(f"{push.get_absolute_url()}?tab=result")
    context = _head(environment)
    try:
        context |= _of_plan(make_plan(request.user, environment, chosen))
    except DomainError as error:
        context |= {"error": error}
    return render(request, "delivery/configs/plan.html", context)


def _environment(request: HttpRequest, pk: int) -> Environment:
    found: Environment = find(ENVIRONMENT, request.user, pk, "deploy")
    return found


def _chosen(request: HttpRequest) -> list[int] | None:
    """Read which files are asked for; None for all."""
    given = request.POST if request.method == "POST" else request.GET
    texts = given.getlist("file")
    # No id has more digits, and Python refuses to read very many.
    found = [
        int(text)
        for text in texts
        if text.isascii() and text.isdecimal() and len(text) < 19
    ]
    return found[:100] or None


def _head(environment: Environment) -> dict[str, Any]:
    title = _("Push configuration")
    return {
        "environment": environment,
        "page_title": title,
        "crumbs": [
            (
                Environment._meta.verbose_name_plural,
                reverse("appconf:environment_list"),
            ),
            (str(environment), environment.get_absolute_url()),
            (title, None),
        ],
    }


def _of_plan(plan: ConfigPlan) -> dict[str, Any]:
    return {
        "plan": plan,
        "hidden": len(plan.texts) - len(plan.hosts),
        "problems": plan.problems[:50],
    }


@requires(DEPLOY)
@require_POST
def environment_config_read(request: HttpRequest, pk: int) -> HttpResponse:
    """Read the files of an environment back from its hosts now."""
    push = reading.request_read(
        actor=request.user,
        environment=_environment(request, pk),
        file_ids=_chosen(request),
    )
    messages.success(request, _("%(push)s has begun.") % {"push": push})
    return redirect(f"{push.get_absolute_url()}?tab=result")


@requires(DEPLOY)
@require_POST
def configpush_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a push or a reading that goes on."""
    push = find(CONFIG_PUSHES, request.user, pk)
    pushing.cancel_push(actor=request.user, push=push)
    messages.success(request, _("%(push)s is being stopped.") % {"push": push})
    return redirect(f"{push.get_absolute_url()}?tab=result")
