"""Steering a deploy: approve, refuse, pause, go on, cancel, retry."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from adminset.errors import DomainError
from adminset.http import form_refuses, requires
from delivery.act_forms import DecisionForm, EmergencyForm, ReasonForm
from delivery.asked.asking import ask
from delivery.engine import controlling
from delivery.models import Deploy
from delivery.pages.deploying import BEGIN
from delivery.pages.finding import find
from delivery.pages.showing import of_deploy
from delivery.planning.shown import shown_plan
from delivery.safety import approvals


@requires("delivery.decide_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def deploy_decide(request: Any, pk: int) -> HttpResponse:
    """Show the plan once more and take a yes or a no to it."""
    deploy = find(Deploy, request.user, pk)
    # Decisions are made by people at the portal: a token is in a program's hands.
    if getattr(request.user, "token", None) is not None:
        raise PermissionDenied("delivery.decide_deploy")
    form = DecisionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            approvals.decide(actor=request.user, deploy=deploy, **form.cleaned_data)
        except DomainError as error:
            form_refuses(form, error)
        else:
            messages.success(request, _("Your decision is saved."))
            return redirect(deploy)
    context = of_deploy(deploy, _("Approve or refuse")) | {
        "form": form,
        "plan": shown_plan(request.user, deploy.plan),
        "votes": list(deploy.votes.all()),
        "why": approvals.why_not(request.user, deploy),
        "standing": approvals.standing(deploy),
    }
    status = 422 if form.errors else 200
    return render(request, "delivery/deploy_decide.html", context, status=status)


@requires("delivery.control_deploy")
@require_POST
def deploy_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the step that runs come to its end and begin nothing new."""
    deploy = find(Deploy, request.user, pk, "control")
    controlling.pause_deploy(actor=request.user, deploy=deploy)
    words = _("%(deploy)s pauses: what runs comes to its end.")
    messages.info(request, words % {"deploy": deploy})
    return redirect(deploy)


@requires("delivery.control_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def deploy_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it go on: also the yes to a batch that is to be confirmed. Outside its windows it asks first why it cannot wait."""
    deploy = find(Deploy, request.user, pk, "control")
    closed, form = _emergency(request, deploy)
    if request.method != "POST" and not closed:
        return redirect(deploy)
    if form.is_valid():
        reason = form.cleaned_data["emergency_reason"]
        try:
            controlling.resume_deploy(
                actor=request.user, deploy=deploy, emergency_reason=reason
            )
        except DomainError as error:
            _keep_typed(form, error)
        else:
            messages.info(request, _("%(deploy)s goes on.") % {"deploy": deploy})
            return redirect(deploy)
    return _ask_why(request, deploy, form, closed, _("Resume"))


def _emergency(request: HttpRequest, deploy: Deploy) -> tuple[str, EmergencyForm]:
    """Give why windows are closed to a deploy now, and the form in which somebody says why it cannot wait.

    A successor of a deploy that has ended may wait for its window: there no reason is needed.
    """
    closed = controlling.closed_now(deploy)
    data = request.POST if request.method == "POST" else None
    initial = {"what": request.GET.get("what", "")[:10]}
    needed = bool(closed) and deploy.is_open
    return closed, EmergencyForm(data, needed=needed, initial=initial)


def _keep_typed(form: EmergencyForm, error: DomainError) -> None:
    """Say in the form what is wrong with what was typed there; anything else is no matter of the form."""
    if not form.cleaned_data["emergency_reason"]:
        raise error
    form_refuses(form, error)


def _ask_why(
    request: HttpRequest, deploy: Deploy, form: EmergencyForm, closed: str, title: str
) -> HttpResponse:
    """Ask for the reason of an emergency."""
    context = of_deploy(deploy, title) | {
        "form": form,
        "closed": closed,
        "cancel_url": deploy.get_absolute_url(),
        "submit_title": title,
    }
    status = 422 if form.errors else 200
    return render(request, "delivery/deploy_emergency.html", context, status=status)


@requires("delivery.cancel_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def deploy_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what stopping means now, ask why, and stop it."""
    deploy = find(Deploy, request.user, pk, "cancel")
    form = ReasonForm(request.POST if request.method == "POST" else None, needed=False)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        controlling.cancel_deploy(actor=request.user, deploy=deploy, reason=reason)
        messages.info(request, _("%(deploy)s is being stopped.") % {"deploy": deploy})
        return redirect(deploy)
    touched = deploy.hosts.filter(touched=True).count()
    context = of_deploy(deploy, _("Stop")) | {
        "form": form,
        "touched": touched,
        "cancel_url": deploy.get_absolute_url(),
        "submit_title": _("Stop it"),
    }
    return render(request, "delivery/deploy_cancel.html", context)


@requires("delivery.control_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def deploy_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Do once more what failed: its hosts (`what=failed`), or the whole stage (`what=stage`)."""
    deploy = find(Deploy, request.user, pk, "control")
    closed, form = _emergency(request, deploy)
    if request.method != "POST" and not closed:
        return redirect(deploy)
    if form.is_valid():
        what = "stage" if form.cleaned_data["what"] == "stage" else "failed"
        try:
            return _retry(request, deploy, what, form.cleaned_data["emergency_reason"])
        except DomainError as error:
            _keep_typed(form, error)
    return _ask_why(request, deploy, form, closed, _("Retry"))


def _retry(request: HttpRequest, deploy: Deploy, what: str, why: str) -> HttpResponse:
    wanted = {"what": what, "emergency_reason": why}
    if deploy.is_open:
        controlling.retry_deploy(actor=request.user, deploy=deploy, **wanted)
        messages.info(request, _("It is tried again."))
        return redirect(deploy)
    # A successor has a plan of its own, for which the source may be asked: a worker makes it.
    about: dict[str, Any] = {"pipeline": deploy.pipeline_id}
    about |= {"environment": deploy.environment_id, "retry": deploy.pk} | wanted
    about["back"] = deploy.get_absolute_url()
    begun = ask(request.user, BEGIN, about)
    return redirect("delivery:pipeline_begin", deploy.pipeline_id, begun.key)
