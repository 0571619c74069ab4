"""What one does to a terminal session: ending, locking, inviting, saying something; the services ask who may (tasks/terminal/control.py)."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from adminset.errors import DomainError
from adminset.http import SIGNED_IN, ask_for_proof, needs_proof, requires
from tasks.models import TerminalSession
from tasks.terminal import control
from tasks.terminal.control import CONTROL
from tasks.terminal_pages import sessions_selectors as selectors
from tasks.terminal_pages.proving import TERMINAL
from tasks.terminal_pages.sessions_forms import InviteForm, KillForm
from tasks.terminal_pages.sessions_views import head

require_form = require_http_methods(["GET", "HEAD", "POST"])


def find(request: HttpRequest, pk: int) -> TerminalSession:
    """Get a session that the user may look at.

    Raises:
        PermissionDenied: there is none, and the user may control none at all.
        Http404: there is none.
    """
    user: Any = request.user
    session = selectors.sessions_of(user).filter(pk=pk).first()
    if session is not None:
        return session
    if not user.has_perm(CONTROL):
        raise PermissionDenied(CONTROL)
    raise Http404(_("There is no such session."))


def _to_end(request: HttpRequest, pk: int) -> TerminalSession:
    """Get a session that the user may end, and invite others to; PermissionDenied where it may only be looked at."""
    session = find(request, pk)
    if not control.may_control(request.user, session):
        raise PermissionDenied(CONTROL)
    return session


@requires(CONTROL, SIGNED_IN)
@require_form
def terminalsession_kill(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then end a session at once."""
    session = _to_end(request, pk)
    form = KillForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        control.kill(actor=request.user, session=session, reason=reason)
        messages.success(request, _("%(session)s is ended.") % {"session": session})
        return redirect(session)
    context = head(session, _("End")) | {
        "session": session,
        "form": form,
        "own": session.user_id == request.user.pk,
    }
    status = 422 if form.errors else 200
    return render(request, "tasks/terminal_sessions/kill.html", context, status=status)


@requires(CONTROL, SIGNED_IN)
@require_POST
def terminalsession_lock(request: HttpRequest, pk: int) -> HttpResponse:
    """Let nobody type in a terminal."""
    session = control.lock(actor=request.user, session=find(request, pk))
    messages.info(
        request, _("%(session)s is locked: nobody can type.") % {"session": session}
    )
    return redirect(session)


@requires(CONTROL, SIGNED_IN)
@require_POST
def terminalsession_unlock(request: HttpRequest, pk: int) -> HttpResponse:
    """Let people type again."""
    session = control.unlock(actor=request.user, session=find(request, pk))
    messages.info(request, _("%(session)s is unlocked.") % {"session": session})
    return redirect(session)


@requires(CONTROL, SIGNED_IN)
@require_POST
def terminalsession_say(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a sentence to all who are at a terminal."""
    session = _to_end(request, pk)
    words = request.POST.get("words", "")
    control.say(actor=request.user, session=session, words=words)
    messages.success(request, _("All who are there read it."))
    return redirect(session)


@requires(CONTROL, SIGNED_IN)
@require_form
def terminalsession_invite(request: HttpRequest, pk: int) -> HttpResponse:
    """Show who was invited, and let somebody in."""
    session = _to_end(request, pk)
    posted = request.method == "POST"
    form = InviteForm(request.POST if posted else None, inviter=request.user)
    if form.is_valid():
        if form.cleaned_data["may_write"] and needs_proof(request, TERMINAL):
            return ask_for_proof(request)
        if _invited(request, session, form):
            return redirect("tasks:terminalsession_invite", pk)
    address = reverse("tasks:terminalsession_watch", args=[pk])
    context = head(session, _("Invite")) | {
        "session": session,
        "form": form,
        "guests": [one for one in selectors.people_at(session) if one.invited_by],
        "address": request.build_absolute_uri(address),
    }
    status = 422 if form.errors else 200
    return render(
        request, "tasks/terminal_sessions/invite.html", context, status=status
    )


def _invited(request: HttpRequest, session: TerminalSession, form: InviteForm) -> bool:
    user, may_write = form.cleaned_data["user"], form.cleaned_data["may_write"]
    try:
        control.invite(
            actor=request.user, session=session, user=user, may_write=may_write
        )
    except DomainError as error:
        form.refused(error)
        return False
    words = _("%(user)s is invited: the home page there leads to the terminal.")
    messages.success(request, words % {"user": user})
    return True


@requires(CONTROL, SIGNED_IN)
@require_POST
def terminalsession_send_away(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the invitation of a guest (`guest`: the id) back."""
    session = _to_end(request, pk)
    wanted = request.POST.get("guest", "")
    known = wanted.isascii() and wanted.isdecimal() and len(wanted) < 16
    guest = session.guests.filter(pk=int(wanted)).first() if known else None
    if guest is None:
        raise DomainError(_("There is no such guest."), code="no_guest")
    control.send_away(actor=request.user, guest=guest)
    words = _("%(user)s is not invited any more.")
    messages.success(request, words % {"user": guest.username})
    return redirect("tasks:terminalsession_invite", pk)
