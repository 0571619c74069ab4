"""Replaying a terminal session: its page, its events page by page, the .cast, the comparison with the trail."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from adminset.errors import DomainError, NotFound
from adminset.http import requires, safe_referrer
from adminset.querysets import may
from adminset.streams import stream
from adminset.texts import number_of
from tasks.models import TerminalSession
from tasks.recording import exporting, reading, verifying
from tasks.recording.finding import find_session
from tasks.recording.frames import START
from tasks.recording.reading import Page, Summary, place_of
from tasks.terminal_pages.sessions_resources import commands
from tasks.terminal_pages.sessions_views import head


@requires("tasks.replay_terminalsession")
@require_safe
def terminalsession_replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the player of a recording, with the commands to jump to; `?at=` is where it begins, in milliseconds."""
    user: Any = request.user
    session = find_session(user, pk, "replay")
    summary: Summary | None = None
    problem: DomainError | None = None
    try:
        summary = reading.summary(session)
    except DomainError as error:
        problem = error
    else:
        exporting.tell_of_replay(actor=user, session=session)
    context = head(session, _("Replay")) | {
        "subtitle": str(session),
        "session": session,
        "summary": summary,
        "problem": problem,
        "may_export": summary is not None and may(user, "export", session),
        "at": number_of(request.GET.get("at")) or 0,
    }
    context |= commands(request, session)
    return render(request, "tasks/recording/terminalsession_replay.html", context)


@requires("tasks.replay_terminalsession")
@require_safe
def terminalsession_events(request: HttpRequest, pk: int) -> JsonResponse:
    """Give a page of events: from the beginning, or from where the page before said (`?after=`)."""
    session = find_session(request.user, pk, "replay")
    page = page_of(session, request.GET.get("after", ""))
    exporting.tell_of_replay(actor=request.user, session=session)
    return JsonResponse(told(session, page))


def page_of(session: TerminalSession, after: str) -> Page:
    """Read a page of events.

    Raises:
        NotFound: there is no such place in it; other DomainErrors: see reading.opened.
    """
    place = place_of(after) if after else START
    if place is None:
        raise NotFound(_("There is no such place in the recording."))
    return reading.page(session, place)


def told(session: TerminalSession, page: Page) -> dict[str, Any]:
    """Write a page of events for a program: [milliseconds, kind, text] each."""
    running = session.recording == TerminalSession.Recording.RUNNING
    return {
        "events": [[each.at_ms, each.kind, each.text] for each in page.events],
        "after": str(page.after),
        "at_end": page.at_end,
        "grows": running and not page.broken,
        "broken": page.broken,
    }


@requires("tasks.export_terminalsession")
@require_safe
def terminalsession_cast(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the recording as a .cast."""
    session = find_session(request.user, pk, "export")
    return cast_answer(request, exporting.export(actor=request.user, session=session))


def cast_answer(request: HttpRequest, found: exporting.Cast) -> HttpResponse:
    """Send a .cast, with its hash beside it."""
    answer = stream(
        request,
        found.parts,
        content_type=exporting.CONTENT_TYPE,
        file_name=found.name,
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["X-Content-SHA256"] = found.sha256
    return answer  # type: ignore[return-value]


@requires("tasks.view_terminalsession")
@require_POST
def terminalsession_verify(request: HttpRequest, pk: int) -> HttpResponse:
    """Hold the recording against the audit trail; htmx gets what came of it, a browser without is sent back."""
    session = find_session(request.user, pk, "view")
    found = verifying.verify_now(actor=request.user, session=session)
    if request.htmx:  # type: ignore[attr-defined]
        context = {"session": session, "finding": found}
        return render(request, "tasks/recording/_finding.html", context)
    say = messages.error if found.is_bad else messages.success
    say(request, f"{found.verdict.label}: {found.words}")
    return redirect(safe_referrer(request) or session.get_absolute_url())
