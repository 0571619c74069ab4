"""Pages of pushes: the plan that a person says yes to, the push itself, reading back, cancelling."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from adminset.crud.views import find
from adminset.errors import DomainError, Forbidden
from adminset.http import form_refuses, requires
from adminset.texts import number_of
from appconf.models import Environment
from appconf.resources import ENVIRONMENT
from delivery.configs import pushing, reading
from delivery.configs.forms import PushForm
from delivery.configs.frames import choosable
from delivery.configs.planning import ConfigPlan, make_plan
from delivery.configs.resources import CONFIG_PUSHES, DEPLOY
from delivery.configs.windows import closed_words
from delivery.models import ConfigPush
from delivery.safety.rights import holds_on

EMERGENCY = "delivery.emergency_deploy"
MOST_CHOSEN = 5000


@requires(DEPLOY)
@require_http_methods(["GET", "HEAD", "POST"])
def environment_config(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a push would do (`?file=` and `?host=` narrow it), and begin it once somebody says yes to exactly that."""
    environment = _environment(request, pk)
    closed = closed_words(environment)
    if request.method != "POST" or "look" in request.POST:
        return _page(request, environment, closed, PushForm(closed=bool(closed)))
    form = PushForm(request.POST, closed=bool(closed))
    if form.is_valid():
        try:
            push = _pushed(request, environment, form)
        except Forbidden:
            raise
        except DomainError as error:
            form_refuses(form, error)
            return _page(request, environment, closed, form, error.status)
        messages.success(request, _("%(push)s has begun.") % {"push": push})
        return redirect(f"{push.get_absolute_url()}?tab=result")
    return _page(request, environment, closed, form, 422)


def _pushed(
    request: HttpRequest, environment: Environment, form: PushForm
) -> ConfigPush:
    wanted = pushing.Wanted(
        plan_hash=request.POST.get("hash", ""),
        file_ids=_chosen(request, "file"),
        host_ids=_chosen(request, "host"),
        **form.cleaned_data,
    )
    return pushing.request_push(
        actor=request.user, environment=environment, wanted=wanted
    )


def _page(
    request: HttpRequest,
    environment: Environment,
    closed: str,
    form: PushForm,
    status: int = 200,
) -> HttpResponse:
    may_override = holds_on(request.user, EMERGENCY, environment)
    context = _head(environment) | {
        "form": form,
        "closed": closed,
        "may_begin": not closed or may_override,
    }
    files, hosts = _chosen(request, "file"), _chosen(request, "host")
    try:
        plan = make_plan(request.user, environment, files, hosts)
        context |= _of_plan(request.user, environment, plan)
    except DomainError as error:
        context |= {"error": error}
    context["is_narrow"] = hosts is not None
    return render(request, "delivery/configs/plan.html", context, status=status)


def _environment(request: HttpRequest, pk: int) -> Environment:
    found: Environment = find(ENVIRONMENT, request.user, pk, "deploy")
    return found


def _chosen(request: HttpRequest, name: str) -> list[int] | None:
    """Read which files or hosts are asked for; None for all."""
    given = request.POST if request.method == "POST" else request.GET
    found = [number_of(text) for text in given.getlist(name)]
    return [key for key in found if key][:MOST_CHOSEN] or None


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


def _of_plan(user: Any, environment: Environment, plan: ConfigPlan) -> dict[str, Any]:
    rows = {row.host.pk: row for row in plan.hosts}
    choices = choosable(user, environment)
    return {
        "plan": plan,
        "choices": [(host, rows.get(host.pk)) for host in choices],
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
        file_ids=_chosen(request, "file"),
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
