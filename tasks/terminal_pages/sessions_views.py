"""Looking at terminal sessions: the list, the page of one, its history, those that live, and the card of the home page."""

import functools
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.crud import views
from adminset.http import SIGNED_IN, View, is_htmx, requires
from adminset.measures import duration
from adminset.menu_tabs import TERMINAL_TABS
from adminset.navigation import tabs_for
from adminset.querysets import everywhere, may
from adminset.unseen import visible
from tasks.models import TerminalSession
from tasks.terminal.control import CONTROL, may_control
from tasks.terminal_pages import sessions_selectors as selectors
from tasks.terminal_pages.sessions_resources import (
    TERMINAL_SESSIONS,
    commands,
)
from tasks.terminal_pages.sessions_selectors import VIEW

ON_CARD = 8
# Of live ones, on their page.
SHOWN = 200


def looking(view: Any) -> View:
    """Let in who may look at sessions, opens terminals, has had one, or is invited to one; which rows they see is `visible_to`'s."""

    @requires(VIEW, SIGNED_IN)
    @require_safe
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not selectors.may_look(request.user):
            raise PermissionDenied(VIEW)
        answer: HttpResponse = view(request, *args, **kwargs)
        return answer

    return guarded


@looking
def terminalsession_list(request: HttpRequest) -> Any:
    """Show the sessions that the reader may look at."""
    return views.list_page(request, TERMINAL_SESSIONS)


@looking
def terminalsession_history(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the trail says of a session."""
    return views.history_page(request, TERMINAL_SESSIONS, pk)


@looking
def terminalsession_past(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a session as it was."""
    return views.past_page(request, TERMINAL_SESSIONS, pk)


def head(session: TerminalSession | None, title: str) -> dict[str, Any]:
    """Give title and way of a page about sessions."""
    names, url = TERMINAL_SESSIONS.verbose_name_plural, TERMINAL_SESSIONS.url("list")
    crumbs: list[tuple[Any, str | None]] = [(capfirst(names), url)]
    if session is not None:
        crumbs.append((str(session), session.get_absolute_url()))
    return {"page_title": title, "crumbs": [*crumbs, (title, None)]}


@looking
def terminalsession_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a session: how it stands, who was there, what became of its recording; `?tab=commands`: what was entered."""
    rows = selectors.sessions_of(request.user).select_related(
        "user", "host", "credential"
    )
    session = selectors.for_list(rows).filter(pk=pk).first()
    if session is None:
        raise Http404(_("There is no such session."))
    tab = "commands" if request.GET.get("tab") == "commands" else "overview"
    context = head(None, str(session)) | {
        "session": session,
        "status": session.badge,
        "tab": tab,
        "tabs": _tabs(session, tab),
        "can": _can(request.user, session),
    }
    context |= (
        commands(request, session)
        if tab == "commands"
        else _overview(request.user, session)
    )
    return render(request, "tasks/terminal_sessions/detail.html", context)


def _tabs(session: TerminalSession, chosen: str) -> list[dict[str, Any]]:
    url = session.get_absolute_url()
    found = [
        {"title": _("Overview"), "url": url, "active": chosen == "overview"},
        {
            "title": _("Commands"),
            "url": f"{url}?tab=commands",
            "active": chosen == "commands",
            "count": session.command_count or None,
        },
    ]
    history = reverse("tasks:terminalsession_history", args=[session.pk])
    return [*found, {"title": _("History"), "url": history, "active": False}]


def _can(user: Any, session: TerminalSession) -> dict[str, bool]:
    """Say which buttons the reader gets."""
    is_open = session.is_open
    return {
        "watch": selectors.may_watch(user, session),
        "end": is_open and may_control(user, session),
        "lock": is_open and may_control(user, session, own=False),
        "go_back": is_open and session.user_id == user.pk,
        "replay": selectors.may_replay(user, session),
    }


def _overview(user: Any, session: TerminalSession) -> dict[str, Any]:
    parts = {
        "user": session.user,
        "host": session.host,
        "credential": session.credential,
    }
    most, idle = settings.TERMINAL_IDLE_SECONDS, session.idle
    return {
        "told": {
            "reason": visible(session.reason),
            "end_reason": visible(session.end_reason),
            "problem": visible(session.recording_problem),
        },
        "linked": {
            name: row is not None and may(user, "view", row)
            for name, row in parts.items()
        },
        "guests": selectors.people_at(session),
        "beside": selectors.opened_beside(session),
        "idle_most": most,
        "longest": settings.TERMINAL_LONGEST_SECONDS,
        "is_late": bool(most and idle and idle.total_seconds() > most / 2),
    }


@looking
def terminalsession_live(request: HttpRequest) -> HttpResponse:
    """Show what is open now: to whom one is invited, who has how many of how many, for how long nobody has typed."""
    user: Any = request.user
    rows = selectors.live(user)
    sessions = list(selectors.for_list(rows)[: SHOWN + 1])
    title = _("Live terminals")
    context = head(None, title) | {
        "tabs": tabs_for(request, TERMINAL_TABS),
        "sessions": sessions[:SHOWN],
        "more": len(sessions) > SHOWN,
        "invitations": list(selectors.invitations_of(user)),
        "mine": rows.filter(user=user).count(),
        "most": settings.TERMINAL_USER_MOST,
        "users": selectors.held_by_users(user),
        "processes": selectors.held_by_processes() if everywhere(user, VIEW) else [],
        "may_control": user.has_perm(CONTROL),
    }
    name = "_live.html" if is_htmx(request) else "live.html"
    return render(request, f"tasks/terminal_sessions/{name}", context)


@looking
def terminalsession_card(request: HttpRequest) -> HttpResponse:
    """Draw the card of the home page: invitations first, then the terminals that live."""
    user: Any = request.user
    live = selectors.live(user)
    invited = [_row(each, invited=True) for each in selectors.invitations_of(user)]
    rows = [_row(each) for each in live[:ON_CARD]]
    count = live.count()
    tiles = [
        {
            "label": _("open"),
            "value": count,
            "url": reverse("tasks:terminalsession_live"),
        },
        {
            "label": _("mine, of %(most)s") % {"most": settings.TERMINAL_USER_MOST},
            "value": live.filter(user=user).count(),
            "url": f"{TERMINAL_SESSIONS.url('list')}?whose=mine",
        },
    ]
    context = {
        "tiles": tiles,
        "rows": [*invited, *rows][:ON_CARD],
        "more_url": reverse("tasks:terminalsession_live"),
        "more_title": _("All live terminals"),
        "empty": _("No terminal is open."),
    }
    return render(request, "components/_card.html", context)


def _row(session: TerminalSession, *, invited: bool = False) -> dict[str, Any]:
    url = session.get_absolute_url()
    if invited:
        url = reverse("tasks:terminalsession_watch", args=[session.pk])
    words = _("idle %(time)s") % {"time": duration(session.idle)}
    return {
        "title": f"{session.username} @ {session.host_name}",
        "url": url,
        "state": "busy" if invited else session.badge["state"],
        "state_label": _("you are invited") if invited else session.badge["label"],
        "text": words,
        "when": session.opened_at,
    }
