"""The gallery of task modules, and what is done with one: run, copy, turn on and off, check while it is written."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from adminset.crud.views import find
from adminset.http import is_htmx, requires
from adminset.querysets import everywhere
from tasks.models import TaskModule
from tasks.taskmodules import loading, services
from tasks.taskmodules.definitions import said
from tasks.taskmodules.forms import ModuleForm
from tasks.taskmodules.parsing import DefinitionError, parse
from tasks.taskmodules.resources import TASK_MODULES

ADD, CHANGE, USE = (f"tasks.{action}_taskmodule" for action in ("add", "change", "use"))


@requires("tasks.view_taskmodule")
@require_safe
def taskmodule_gallery(request: HttpRequest) -> HttpResponse:
    """Show the modules that are on as cards by category; `?q=` looks into their names, titles and descriptions."""
    q = request.GET.get("q", "").strip()[:200]
    writes = everywhere(request.user, CHANGE)
    context = {
        "page_title": _("Task modules"),
        "crumbs": [(_("Task modules"), None)],
        "q": q,
        "categories": _categories(request.user, q),
        "can_run": request.user.has_perm(USE)
        and request.user.has_perm("tasks.add_run"),
        "can_add": everywhere(request.user, ADD),
        "can_change": writes,
        "problems": loading.problems_now() if writes else [],
    }
    part = "tasks/taskmodules/_gallery.html"
    whole = "tasks/taskmodules/gallery.html"
    return render(request, part if is_htmx(request) else whole, context)


def _categories(user: Any, q: str) -> list[dict[str, Any]]:
    """Group the modules by category, both in the reader's language."""
    found: dict[str, list[dict[str, Any]]] = {}
    rows = TASK_MODULES.rows(user).filter(enabled=True).defer("text")
    for module in rows:
        card = _card(module)
        if q.lower() in " ".join((card["title"], card["said"], module.name)).lower():
            found.setdefault(card["category"], []).append(card)
    return [
        {"title": title or _("Others"), "cards": sorted(found[title], key=_by_title)}
        for title in sorted(found, key=lambda title: (not title, title))
    ]


def _by_title(card: dict[str, Any]) -> str:
    return str(card["title"]).lower()


def _card(module: TaskModule) -> dict[str, Any]:
    kept = module.definition
    return {
        "module": module,
        "title": said(kept.get("title")) or module.title,
        "said": said(kept.get("description")),
        "category": said(kept.get("category")),
        "dangerous": kept.get("dangerous") is True,
        "count": len(kept.get("fields") or ()),
    }


@requires(USE)
@require_safe
def taskmodule_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the launch page with this module chosen."""
    module = find(TASK_MODULES, request.user, pk)
    query = urlencode({"kind": "task_module", "task_module": module.pk})
    return redirect(f"{reverse('tasks:run_add')}?{query}")


@requires(ADD, everywhere=True)
@require_POST
def taskmodule_copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Make an own module of another one, and lead to its editor."""
    module = find(TASK_MODULES, request.user, pk)
    made = services.copy_module(actor=request.user, module=module)
    messages.success(
        request, _("%(name)s is copied: change what you like.") % {"name": module}
    )
    return redirect("tasks:taskmodule_edit", made.pk)


@requires(CHANGE)
@require_POST
def taskmodule_enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn a module on."""
    return _switch(request, pk, enabled=True)


@requires(CHANGE)
@require_POST
def taskmodule_disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn a module off."""
    return _switch(request, pk, enabled=False)


def _switch(request: HttpRequest, pk: int, *, enabled: bool) -> HttpResponse:
    module = find(TASK_MODULES, request.user, pk, "change")
    services.switch_module(actor=request.user, module=module, enabled=enabled)
    words = _("%(name)s is on.") if enabled else _("%(name)s is off.")
    messages.success(request, words % {"name": module})
    return redirect(module)


@requires(ADD, CHANGE)
@require_POST
def taskmodule_check(request: HttpRequest) -> HttpResponse:
    """Draw what is wrong with a definition that is being written, or the form that it makes."""
    context: dict[str, Any] = {}
    try:
        definition, _data = parse(request.POST.get("text", "").replace("\r\n", "\n"))
        form = ModuleForm(definition, request.user, prefix="preview")
        context = {"definition": definition, "questions": form}
    except DefinitionError as error:
        context = {"problems": error.findings}
    return render(request, "tasks/taskmodules/_check.html", context)


@requires(CHANGE, everywhere=True)
@require_POST
def taskmodule_reload(request: HttpRequest) -> HttpResponse:
    """Read the files of modules again."""
    report = loading.load_files(actor=request.user)
    words = _(
        "Read: %(created)s new, %(updated)s changed, %(disabled)s gone, %(problems)s not usable."
    )
    counts = {
        name: len(getattr(report, name))
        for name in ("created", "updated", "disabled", "problems")
    }
    told = messages.warning if report.problems else messages.success
    told(request, words % counts)
    return redirect("tasks:taskmodule_gallery")
