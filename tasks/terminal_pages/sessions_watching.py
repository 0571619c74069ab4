"""Watching a live terminal, and taking part in it when invited: a page whose screen has the size of the owner's."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from adminset.http import SIGNED_IN, ask_for_proof, requires
from tasks.terminal.control import may_control
from tasks.terminal.judging import GUEST, OWNER, may_type
from tasks.terminal_pages import sessions_selectors as selectors
from tasks.terminal_pages.proving import wants_proof
from tasks.terminal_pages.sessions_selectors import WATCH
from tasks.terminal_pages.sessions_views import head


@requires(WATCH, SIGNED_IN)
@never_cache
@require_safe
def terminalsession_watch(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a live terminal to who may watch it or is invited; the ticket for its socket is asked for by the page (terminal_ticket)."""
    user: Any = request.user
    session, role = selectors.role_at(user, pk)
    if session is None:
        if not user.has_perm(WATCH):
            raise PermissionDenied(WATCH)
        raise Http404(_("There is no such session."))
    sees = selectors.sessions_of(user).filter(pk=pk).exists()
    if not session.is_open:
        messages.info(request, _("%(session)s is over.") % {"session": session})
        return redirect(session if sees else "home")
    if role == OWNER:
        return redirect("tasks:terminal_join", pk)
    if wants_proof(request, session, role):
        return ask_for_proof(request)
    context = head(session if sees else None, _("Watch")) | {
        "subtitle": str(session),
        "session": session,
        "sees": sees,
        "invited": role == GUEST,
        "may_type": may_type(user, session),
        "can_end": may_control(user, session),
        "can_lock": may_control(user, session, own=False),
        "socket": f"/ws/tasks/terminals/{session.key}/",
        "ticket_url": reverse("tasks:terminal_ticket", args=[pk]),
        "away": settings.TERMINAL_AWAY_SECONDS,
    }
    return render(request, "tasks/terminal_sessions/watch.html", context)
