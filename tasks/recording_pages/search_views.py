"""Searching terminals: commands by the database, outputs by reading recordings, a moment at a time."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import requires
from adminset.menu_tabs import TERMINAL_TABS
from adminset.navigation import tabs_for
from tasks.recording import searching
from tasks.recording.finding import recorded
from tasks.recording_pages.asked import (
    Asked,
    asked_of,
    commands_of,
    so_far_of,
    tell_of_search,
)
from tasks.recording_pages.turns import TURNS
from tasks.terminal_pages.sessions_selectors import readable
from tasks.terminal_pages.sessions_views import head, looking

PER_PAGE = 50


@looking
def terminal_search(request: HttpRequest) -> HttpResponse:
    """Show the commands that have the words, in sessions that one may see, the own ones at least; outputs are what the page asks for next."""
    asked = asked_of(request)
    found = commands_of(request.user, asked)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    if asked.wanted and "page" not in request.GET:
        tell_of_search(request.user, asked)
    context = head(None, _("Search terminals")) | {
        "tabs": tabs_for(request, TERMINAL_TABS),
        "asked": asked,
        "typed": request.GET.get("q", ""),
        "page": page,
        "rows": _rows(request.user, list(page)),
        "may_replay": request.user.has_perm("tasks.replay_terminalsession"),
    }
    return render(request, "tasks/recording/terminal_search.html", context)


def _rows(user: Any, commands: list[Any]) -> list[dict[str, Any]]:
    """Bring along which sessions of these commands the user may replay, and make them fit to be read."""
    keys = {command.session_id for command in commands}
    replayed = recorded(user).filter(pk__in=keys).values_list("pk", flat=True)
    open_to = set(replayed) if keys else set()
    return [
        {
            "command": command,
            "text": command.text,
            "replay": command.session_id in open_to,
        }
        for command in readable(commands)
    ]


@requires("tasks.replay_terminalsession")
@require_safe
def terminal_search_outputs(request: HttpRequest) -> HttpResponse:
    """Look through recordings for a moment and say how far; the answer leads on to the next look (`?since=`)."""
    user: Any = request.user
    asked = asked_of(request)
    with TURNS.of(user.pk) as free:
        if not free:
            # The page asks again by itself.
            context: dict[str, Any] = {"again": request.get_full_path()}
        else:
            context = _look(request, user, asked) if asked.wanted else {}
    context["asked"] = asked
    return render(request, "tasks/recording/_said.html", context)


def _look(request: HttpRequest, user: Any, asked: Asked) -> dict[str, Any]:
    rows = asked.narrowed(recorded(user))
    since = searching.cursor_of(request.GET.get("since", ""))
    if since is None:
        tell_of_search(user, asked)
    look = searching.search(rows, asked.wanted, since)
    so_far = so_far_of(request).plus(look, since)
    return {"look": look, "so_far": so_far, "total": rows.count()}
