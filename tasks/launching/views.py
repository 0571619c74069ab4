"""The launch page: what to run and where, what it would touch, then the run; new, again with changes, or from a template."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from adminset.crud import selection
from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import requires
from tasks import tasks
from tasks.launching import sealing, template_services
from tasks.launching.forms import LaunchForm, TemplateLaunchForm, copied
from tasks.launching.host_filter import filter_of, group_resource, host_resource
from tasks.launching.preview import Preview, preview
from tasks.launching.questions import FilterQuestion, module_questions
from tasks.launching.template_forms import TemplateForm
from tasks.launching.template_resources import TEMPLATES
from tasks.models import Run, Template
from tasks.services import batches
from tasks.services.launch import RunSpec, ensure_by_hand
from tasks.views.watch import find_run, head

# Things that an address can choose.
ONE = ("playbook", "script", "role", "task_module", "host_filter")
KIND_OF = {
    "playbook": "playbook",
    "script": "script",
    "role": "role",
    "task_module": "task_module",
}


@dataclass(frozen=True)
class Page:
    """What differs between the ways to launch."""

    title: str
    url: str
    cancel_url: str
    template: Template | None = None


def _new() -> Page:
    return Page(_("Run something"), reverse("tasks:run_add"), reverse("tasks:run_list"))


@requires("tasks.add_run")
@require_http_methods(["GET", "HEAD", "POST"])
def run_add(request: HttpRequest) -> HttpResponse:
    """Ask what to run and where; show what it would touch; then run it."""
    if request.method == "POST":
        form = LaunchForm(request.POST, request.FILES, user=request.user)
        return _answer(request, form, _new())
    return _form_page(
        request, LaunchForm(user=request.user, initial=_asked(request)), _new()
    )


def _asked(request: HttpRequest) -> dict[str, Any]:
    """Give what the address chooses."""
    asked = request.GET
    many = {"hosts": asked.getlist("host"), "groups": asked.getlist("group")}
    found: dict[str, Any] = {
        name: [v for v in values if v.isascii() and v.isdecimal() and len(v) < 16]
        for name, values in many.items()
    }
    for name in ONE:
        value = asked.get(name, "")
        fits = name == "host_filter" or (value.isascii() and value.isdecimal())
        found[name] = value if fits and len(value) < 2000 else None
    chosen = next((kind for name, kind in KIND_OF.items() if found[name]), "")
    return found | {"kind": chosen or asked.get("kind")}


@requires("tasks.add_run")
@require_POST
def host_bulk_run(request: HttpRequest) -> HttpResponse:
    """Open the launch page for the hosts that were chosen in their list, or for its whole filter."""
    chosen = selection.of_form(host_resource(), request.POST, request.user)
    try:
        query = filter_of(chosen.frozen.query if chosen.frozen else "")
        initial: dict[str, Any] = {"host_filter": query}
    except ValueError:
        # Ticked rows, or every host there is: without a filter those of now are meant.
        rows = chosen.rows(request.user, "view")
        initial = {"hosts": list(rows.values_list("pk", flat=True))}
    return _form_page(request, LaunchForm(user=request.user, initial=initial), _new())


@requires("tasks.add_run")
@require_safe
def hostgroup_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead from a group to the launch page."""
    group = find(group_resource(), request.user, pk)
    return redirect(f"{reverse('tasks:run_add')}?group={group.pk}")


@requires("tasks.add_run")
@require_safe
def run_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the launch page with what a run was."""
    run = find_run(request, pk)
    ensure_by_hand(run)
    hosts = run.hosts.visible_to(request.user).filter(host__isnull=False)
    initial = {
        "hosts": list(hosts.values_list("host_id", flat=True)),
        "secret_names": sealing.names_of(run.sealed),
    }
    # They may be a template's or somebody else's, and what runs can be changed here: they are typed anew.
    run.sealed = None  # type: ignore[assignment]
    form = LaunchForm(user=request.user, source=run, initial=initial)
    return _form_page(request, form, _new())


@requires("tasks.use_template")
@require_http_methods(["GET", "HEAD", "POST"])
def template_launch(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask for what a template leaves open; show what it would touch; then run it."""
    template = find(TEMPLATES, request.user, pk, "use")
    page = Page(
        str(template),
        reverse("tasks:template_launch", args=[pk]),
        template.get_absolute_url(),
        template,
    )
    if request.method == "POST":
        form = TemplateLaunchForm(
            request.POST, request.FILES, user=request.user, source=template
        )
        return _answer(request, form, page)
    form = TemplateLaunchForm(user=request.user, source=template)
    return _form_page(request, form, page)


def _head(page: Page, title: str) -> dict[str, Any]:
    """Give title and breadcrumbs."""
    if page.template is None:
        return head(title)
    crumbs = [
        (Template._meta.verbose_name_plural, reverse("tasks:template_list")),
        (str(page.template), page.cancel_url),
        (_("Launch"), None),
    ]
    return {"page_title": title, "crumbs": crumbs}


def _answer(request: HttpRequest, form: LaunchForm, page: Page) -> HttpResponse:
    action = request.POST.get("action")
    valid = form.is_valid()
    if action == "edit":
        return _form_page(request, form, page)
    if not valid:
        return _form_page(request, form, page, status=422)
    if action == "template" and page.template is None:
        return _as_template(request, form)
    spec = form.spec()
    return _preview_or_launch(request, form, page, spec)


def _form_page(
    request: HttpRequest, form: LaunchForm, page: Page, status: int = 200
) -> HttpResponse:
    form.hide_typed()
    context = _head(page, page.title) | {
        "form": form,
        "action_url": page.url,
        "cancel_url": page.cancel_url,
        "template": page.template,
        "may_keep": request.user.has_perm("tasks.add_template"),
    }
    return render(request, "tasks/run_add.html", context, status=status)


def _as_template(request: HttpRequest, form: LaunchForm) -> HttpResponse:
    """Open the form of a new template with what stands in the launch."""
    if not request.user.has_perm("tasks.add_template"):
        raise PermissionDenied("tasks.add_template")
    data = form.cleaned_data
    initial = {
        "name": data.get("title", ""),
        "hosts": [host.pk for host in data["hosts"]],
        "groups": [group.pk for group in data["groups"]],
        "host_filter": data["host_filter"],
    }
    kept = TemplateForm(
        user=request.user,
        instance=copied(form.instance, Template()),
        initial=initial,
    )
    context = head(_("Save as template")) | {
        "form": kept,
        "action_url": reverse("tasks:template_add"),
        "cancel_url": reverse("tasks:template_list"),
    }
    return render(request, "tasks/template_form.html", context)


def _preview_or_launch(
    request: HttpRequest, form: LaunchForm, page: Page, spec: RunSpec
) -> HttpResponse:
    found = preview(request.user, spec)
    sent = request.POST
    seen = sent.get("seal", "")
    launch = sent.get("action") == "launch"
    bold = bool(found.critical) and len(found.rows) > 1 and not spec.batches
    agreed = not bold or sent.get("without_batches") == "1"
    if launch and seen == found.seal and not found.problem and agreed:
        try:
            return redirect(_launched(request, form, spec))
        except DomainError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
            return _form_page(request, form, page, status=422)
    # Proposed once; whoever empties the box is warned and may then go on.
    proposed = settings.RUN_CRITICAL_BATCHES if bold and not launch else spec.batches
    context = {
        "changed": bool(seen and seen != found.seal),
        "bold": bold and launch,
        "proposed": bold and not launch,
        "batches": proposed,
        "sizes": _sizes(proposed, found),
        "ask_batches": "batches" in form.fields and bool(found.critical),
    }
    return _preview_page(
        request, form, page, context | {"spec": spec, "preview": found}
    )


def _launched(request: HttpRequest, form: LaunchForm, spec: RunSpec) -> Run:
    if not isinstance(form, TemplateLaunchForm):
        return tasks.enqueue_run(actor=request.user, spec=spec)
    run = template_services.launch_filled(actor=request.user, form=form)
    tasks.send(run.pk)
    return run


def _sizes(expression: str, found: Preview) -> list[int]:
    try:
        return batches.sizes(expression, len(found.rows)) if expression else []
    except DomainError:
        return []


def _preview_page(
    request: HttpRequest, form: LaunchForm, page: Page, more: dict[str, Any]
) -> HttpResponse:
    shown = {"batches"} if more["ask_batches"] else set()
    context = _head(page, _("Before it runs")) | {
        "form": form,
        "action_url": page.url,
        "template": page.template,
        "values": [(n, value) for n, value in form.carried() if n not in shown],
        "may_keep": page.template is None
        and request.user.has_perm("tasks.add_template"),
        **more,
    }
    return render(request, "tasks/run_preview.html", context)


# ---- Parts that a page asks for while it is filled in


@requires("tasks.add_run")
@require_safe
def filter_count(request: HttpRequest) -> HttpResponse:
    """Draw how many hosts a filter of the host list finds now."""
    asked = FilterQuestion.of(request.user, request.GET.get("host_filter", ""))
    return render(request, "tasks/_filter_count.html", {"asked": asked})


@requires("tasks.add_run", "tasks.add_template", "tasks.add_schedule")
@require_safe
def module_form(request: HttpRequest) -> HttpResponse:
    """Draw the questions of a task module."""
    try:
        form, problem = module_questions(
            request.user, request.GET.get("task_module", "")
        )
    except LookupError as error:
        raise Http404(_("There is no such task module.")) from error
    return render(
        request, "tasks/_questions.html", {"questions": form, "problem": problem}
    )
