"""Trying a line with the rules, what they had a word on, and how a host enforces more."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from adminset.http import requires
from adminset.menu_tabs import TERMINAL_TABS
from adminset.navigation import tabs_for
from tasks.guard.enforcing import templates
from tasks.guard.forms import TryForm
from tasks.guard.judging import Rule, find, rules_for
from tasks.guard.notices import noticed_for
from tasks.guard.resources import RULES
from tasks.guard.shell_lines import Simple
from tasks.models import GuardRule

PAGE = 50
# So many commands of a line are shown.
MOST_SHOWN = 100
STATES = {"": "ok", "notify": "idle", "warn": "warning", "confirm": "warning"}


def _frame(request: HttpRequest, title: str) -> dict[str, Any]:
    crumbs = [(GuardRule._meta.verbose_name_plural, RULES.url("list")), (title, None)]
    return {
        "page_title": title,
        "crumbs": crumbs,
        "tabs": tabs_for(request, TERMINAL_TABS),
    }


@requires("tasks.view_guardrule")
@require_http_methods(["GET", "HEAD", "POST"])
def guard_try(request: Any) -> HttpResponse:
    """Show what the guard sees in a line, and what its rules would say to the one who asks."""
    context = _frame(request, _("Try a line"))
    form = TryForm(request.POST or None, user=request.user)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            context |= _tried(request.user, form.cleaned_data)
        else:
            status = 422
    return render(
        request, "tasks/guard/try.html", context | {"form": form}, status=status
    )


def _tried(user: Any, given: dict[str, Any]) -> dict[str, Any]:
    rules = rules_for(user, given["host"], given["credential"])
    found = find(rules, given["line"])
    judged = found.judgement
    return {
        "tried": True,
        "count": len(rules),
        "judged": judged,
        "state": STATES.get(judged.action, "danger"),
        "verdict": _words(judged.action),
        "commands": [_shown(command) for command in found.commands[:MOST_SHOWN]],
        "fits": [_fit(rule, action) for rule, action in found.fits],
    }


def _words(action: str) -> str:
    """Say what happens to a line."""
    return str(GuardRule.Action(action).label) if action else _("no rule fits")


def _shown(command: Simple) -> dict[str, Any]:
    return {"text": command.shown, "hidden": command.hidden}


def _fit(rule: Rule, action: str) -> dict[str, Any]:
    softened = action != rule.action
    return {
        "name": rule.name,
        "state": STATES.get(action, "danger"),
        "action": _words(action),
        "softened": softened,
    }


@requires("tasks.view_guardrule")
@require_safe
def guard_sudoers(request: HttpRequest) -> HttpResponse:
    """Show how a host enforces what a guard cannot."""
    context = _frame(request, _("Enforce with sudo")) | {"templates": templates()}
    return render(request, "tasks/guard/sudoers.html", context)


@requires("tasks.view_terminalsession")
@require_safe
def guard_notices(request: Any) -> HttpResponse:
    """Show the commands that a rule had a word on, on all hosts that the reader may see or on the reader's own."""
    own = request.GET.get("show") == "own"
    rows = noticed_for(request.user, own=own)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    parts = [
        {"title": _("All hosts"), "url": "?show=all", "active": not own},
        {"title": _("Hosts that are mine"), "url": "?show=own", "active": own},
    ]
    context = _frame(request, _("What the guard said"))
    context |= {"page": page, "parts": parts, "chosen": "own" if own else "all"}
    return render(request, "tasks/guard/notices.html", context)
