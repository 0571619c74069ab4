"""Trying a web-hook with a sample: what holds, which values come of it, what would start. Nothing is started."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import requires
from tasks.hooks import receiving, rules
from tasks.hooks.forms import TryForm
from tasks.hooks.resources import CHANGE, IN_HOOKS
from tasks.hooks.starting import outlook, said
from tasks.models import InHook

NAMES = 40


@requires(CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def inhook_try(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what a message would do, judged for the one who looks."""
    hook: InHook = find(IN_HOOKS, request.user, pk, "change")
    context: dict[str, Any] = {
        "object": hook,
        "page_title": _("Try %(name)s") % {"name": hook},
        "crumbs": [
            (InHook._meta.verbose_name_plural, IN_HOOKS.url("list")),
            (str(hook), hook.get_absolute_url()),
            (_("Try"), None),
        ],
    }
    if request.method != "POST":
        return render(request, "tasks/hooks/try.html", context | {"form": TryForm()})
    form = TryForm(request.POST)
    good = form.is_valid()
    if good:
        context |= tried(request.user, hook, form.cleaned_data)
    status = 200 if good and not context.get("problem") else 422
    return render(
        request, "tasks/hooks/try.html", context | {"form": form}, status=status
    )


def tried(user: Any, hook: InHook, sample: dict[str, Any]) -> dict[str, Any]:
    """Say what a sample would do."""
    event = sample["event"].strip()
    try:
        message = receiving.read(sample["body"].encode())
    except DomainError as error:
        return {"problem": said(error)}
    judged = rules.judge(hook.match, message)
    taken = rules.extract(hook.extract, message)
    wanted = not hook.events or event in hook.events
    found = outlook(user, hook, taken.values) if not taken.wrong else None
    return {
        "tried": True,
        "event_wanted": wanted,
        "judged": judged,
        "values": list(taken.values.items()),
        "wrong": list(taken.wrong.items()),
        "outlook": found,
        "names": found.hosts[:NAMES] if found else [],
        "more": bool(found and len(found.hosts) > NAMES),
        "would": wanted
        and all(each.holds for each in judged)
        and found is not None
        and not found.problem,
    }
