"""Sessions and sign-ins: one's own, and those of all users."""

from collections.abc import Sequence
from typing import Any

from django.contrib import auth, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import audit_selectors, door, selectors, session_selectors
from accounts.services import sessions as services
from accounts.session_filters import SignInFilter
from accounts.session_tables import SignInTable
from accounts.views.pages import me
from adminset.http import SIGNED_IN, is_htmx, requires


def this_session(request: HttpRequest) -> int:
    """Give the id of the session that a request belongs to; 0 where it has none."""
    row = getattr(request.session, "row", None)
    return row.pk if row is not None else 0


@requires(SIGNED_IN)
@require_safe
def my_sessions(request: HttpRequest) -> HttpResponse:
    """Show where one is signed in."""
    title = _("My sessions")
    context = {
        "sessions": session_selectors.sessions_of(me(request)),
        "current": this_session(request),
        "page_title": title,
        "crumbs": [(_("My account"), reverse("accounts:profile")), (title, None)],
    }
    return render(request, "accounts/my_sessions.html", context)


@requires(SIGNED_IN)
@require_POST
def my_session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's other sessions; this one ends by signing out."""
    others = session_selectors.sessions_of(me(request)).exclude(
        pk=this_session(request)
    )
    services.end_session(actor=me(request), instance=get_object_or_404(others, pk=pk))
    messages.success(request, _("The session has ended."))
    return redirect("accounts:my_sessions")


@requires(SIGNED_IN)
@require_POST
def my_sessions_end(request: HttpRequest) -> HttpResponse:
    """End all of one's sessions but this one."""
    actor = me(request)
    services.end_sessions(actor=actor, user=actor, keep=this_session(request))
    messages.success(request, _("All other sessions have ended."))
    return redirect("accounts:my_sessions")


@requires(SIGNED_IN)
@require_POST
def sign_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End all of one's sessions, this one too."""
    actor = me(request)
    services.end_sessions(actor=actor, user=actor, keep=this_session(request))
    door.leave(request)
    return redirect("accounts:sign_in")


@requires("accounts.delete_portalsession")
@require_POST
def portalsession_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End anybody's session."""
    session = get_object_or_404(
        session_selectors.sessions(me(request), "delete"), pk=pk
    )
    services.end_session(actor=me(request), instance=session)
    return _after_ending(request, session.user)


@requires("accounts.delete_portalsession", everywhere=True)
@require_POST
def user_sessions_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign a user out everywhere."""
    user = get_object_or_404(selectors.users(me(request), "view"), pk=pk)
    services.end_sessions(actor=me(request), user=user)
    return _after_ending(request, user)


def _after_ending(request: HttpRequest, user: Any) -> HttpResponse:
    """Go back to the list, or to the door where the reader's own session was among those that ended."""
    if not session_selectors.sessions_of(me(request)).filter(pk=this_session(request)):
        auth.logout(request)
        return redirect("accounts:sign_in")
    messages.success(request, _("%(name)s is signed out.") % {"name": user})
    return redirect("accounts:portalsession_list")


@requires(SIGNED_IN)
@require_safe
def my_sign_ins(request: HttpRequest) -> HttpResponse:
    """Show one's own sign-ins: what is not by oneself is worth knowing."""
    title = _("My sign-ins")
    crumbs = [
        (_("My account"), reverse("accounts:profile")),
        (_("My sessions"), reverse("accounts:my_sessions")),
        (title, None),
    ]
    rows = session_selectors.sign_ins_of(me(request))
    return _sign_ins(request, rows, (), {"page_title": title, "crumbs": crumbs})


@requires("adminset.view_auditentry")
@require_safe
def sign_in_list(request: HttpRequest) -> HttpResponse:
    """Show who came in, who was refused, and how sessions ended."""
    rows = selectors.audit_trail(me(request))
    verbs = audit_selectors.verbs_of(session_selectors.SIGN_INS)
    return _sign_ins(request, rows, verbs, {"page_title": _("Sign-ins")})


def _sign_ins(
    request: HttpRequest, rows: QuerySet, verbs: Sequence[str], context: dict[str, Any]
) -> HttpResponse:
    """Draw a list as the audit trail's: the same lines, as quick at millions of them."""
    filterset = SignInFilter(request.GET, rows, request=request)
    is_filtered = bool(filterset.form.changed_data)
    page = audit_selectors.TrailPage(
        rows,
        verbs,
        filterset.narrow if is_filtered else None,
        before=audit_selectors.place_id(request.GET.get("before")),
        after=audit_selectors.place_id(request.GET.get("after")),
    )
    context |= {
        "table": SignInTable(page.entries, request=request),
        "page": page,
        "total": page.total,
        "most": audit_selectors.COUNTED,
        "looked_through": audit_selectors.LOOKED_THROUGH,
        "filterset": filterset,
        "q": request.GET.get("q", ""),
        "is_filtered": is_filtered,
    }
    part = "accounts/_audit_list.html"
    return render(
        request, part if is_htmx(request) else "accounts/sign_in_list.html", context
    )
