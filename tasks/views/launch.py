"""Asking for runs, stopping and repeating them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
)

from adminset.errors import DomainError
from adminset.http import requires
from tasks import tasks
from tasks.forms import LaunchForm
from tasks.models import Run, Work
from tasks.selectors import preview
from tasks.services import cancel
from tasks.views.watch import find_run, head


@requires("tasks.add_run")
@require_http_methods(["GET", "HEAD", "POST"])
def run_add(request: HttpRequest) -> HttpResponse:
    """Ask what to run and where; show what it would touch; then run it."""
    asked = request.GET
    initial: dict[str, Any] = {
        "hosts": asked.getlist("host"),
        "groups": asked.getlist("group"),
        "playbook": asked.get("playbook"),
    }
    initial["kind"] = Work.Kind.PLAYBOOK if initial["playbook"] else asked.get("kind")
    clean = {
        name: [v for v in value if v.isdecimal()] if isinstance(value, list) else value
        for name, value in initial.items()
    }
    form = LaunchForm(request.POST or None, user=request.user, initial=clean)
    if (
        request.method == "POST"
        and request.POST.get("action") != "edit"
        and form.is_valid()
    ):
        return _preview_or_launch(request, form)
    return _launch_page(request, form)


def _launch_page(request: HttpRequest, form: LaunchForm) -> HttpResponse:
    tabs = []
    for kind in Work.Kind:
        query = request.GET.copy()
        query.pop("playbook", None)
        query["kind"] = kind.value
        title = {
            "command": _("Command"),
            "module": _("Ansible module"),
            "playbook": _("Playbook"),
        }[kind.value]
        tabs.append(
            {
                "title": title,
                "url": f"?{query.urlencode()}",
                "active": kind.value == form.kind,
            }
        )
    wrong = request.method == "POST" and request.POST.get("action") != "edit"
    context = head(_("Run something")) | {
        "form": form,
        "kind": form.kind,
        "tabs": tabs,
        "cancel_url": reverse("tasks:run_list"),
    }
    return render(request, "tasks/run_add.html", context, status=422 if wrong else 200)


def _preview_or_launch(request: HttpRequest, form: LaunchForm) -> HttpResponse:
    spec = form.spec()
    found = preview(request.user, spec.host_ids, spec.group_ids)
    seen = request.POST.get("seal", "")
    if request.POST.get("action") == "launch" and seen == found.seal:
        try:
            return redirect(tasks.enqueue_run(actor=request.user, spec=spec))
        except DomainError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
            return _launch_page(request, form)
    context = head(_("Before it runs")) | {
        "form": form,
        "spec": spec,
        "preview": found,
        "changed": bool(seen and seen != found.seal),
        "values": [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name in form.fields
        ],
    }
    return render(request, "tasks/run_preview.html", context)


@requires("tasks.add_run")
@require_POST
def run_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the same once more, on all hosts or on those where it did not end well."""
    run = find_run(request, pk)
    return redirect(
        tasks.enqueue_repeat(
            actor=request.user, run=run, failed_only="failed" in request.POST
        )
    )


@requires("tasks.cancel_run")
@require_POST
def run_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a run."""
    run = find_run(request, pk)
    if not Run.objects.visible_to(request.user, "cancel").filter(pk=pk).exists():
        raise PermissionDenied("tasks.cancel_run")
    cancel.cancel_run(actor=request.user, run=run)
    messages.info(request, _("%(run)s is being stopped.") % {"run": run})
    return redirect(run)
