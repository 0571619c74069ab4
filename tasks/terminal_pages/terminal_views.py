"""The page of one or several terminals, and what it asks: to open one, a ticket to come back, hosts to go on to."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from adminset.crud import selection
from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import SIGNED_IN, ask_for_proof, requires, safe_referrer
from tasks.launching.host_filter import group_resource, host_resource
from tasks.models import TerminalSession
from tasks.terminal import judging
from tasks.terminal.opening import (
    may_together,
    new_key,
    open_for,
    open_terminal,
    ticket_for,
)
from tasks.terminal_pages import choosing
from tasks.terminal_pages.forms import TerminalForm
from tasks.terminal_pages.proving import TERMINAL as PERMISSION
from tasks.terminal_pages.proving import wants_proof

# Who may open terminals somewhere, without a proof: opening one asks for it, and a reload must not wait for it.
entering = requires(PERMISSION, proof=False)


@entering
@never_cache
@require_safe
def terminal(request: HttpRequest) -> HttpResponse:
    """Show terminals on chosen hosts (`host`, `group`): one of an ordinary host opens at once, else a form asks first."""
    asked = request.GET
    hosts = _numbers(asked.getlist("host"))
    rows = choosing.candidates(request.user, hosts, _numbers(asked.getlist("group")))
    alone = rows[0] if len(rows) == 1 else None
    config = _config(request) | {
        "hosts": [row.as_json() for row in rows[: choosing.MOST_LISTED]],
        "more": len(rows) > choosing.MOST_LISTED,
        "lost": bool(asked) and not rows,
        # A link from elsewhere opens nothing by itself.
        "auto": bool(
            alone
            and not alone.critical
            and not alone.problem
            and safe_referrer(request)
        ),
    }
    return _page(request, config, str(alone.host) if alone else "")


@requires(SIGNED_IN)
@never_cache
@require_safe
def terminal_join(request: HttpRequest, pk: int) -> HttpResponse:
    """Come back to a terminal of one's own that is open; others' have a page for guests and watchers."""
    session, role = open_for(request.user, pk)
    if role != judging.OWNER:
        return redirect("tasks:terminalsession_watch", pk)
    if wants_proof(request, session, role):
        return ask_for_proof(request)
    config = _config(request) | {
        "hosts": [],
        "join": [_session_json(session)],
        "together": "",
    }
    return _page(request, config, session.host_name)


@requires(PERMISSION)
@require_POST
def terminal_open(request: HttpRequest) -> JsonResponse:
    """Open a terminal; answer with its session and the ticket for its socket."""
    form = TerminalForm(request.POST, user=request.user)
    wanted = form.wanted()
    host = choosing.host_of(request.user, form.cleaned_data["host"])
    session, ticket = open_terminal(
        actor=request.user,
        host=host,
        wanted=wanted,
        portal_session=request.session.session_key,
    )
    return JsonResponse(_session_json(session) | {"ticket": ticket}, status=201)


@requires(SIGNED_IN)
@require_POST
def terminal_ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a new ticket for a terminal that is open; who is nothing there learns nothing of it."""
    session, role = open_for(request.user, pk)
    if wants_proof(request, session, role):
        return ask_for_proof(request)
    key = request.session.session_key
    ticket = ticket_for(actor=request.user, session=session, portal_session=key)
    return JsonResponse(_session_json(session) | {"ticket": ticket})


@entering
@require_safe
def terminal_hosts(request: HttpRequest) -> JsonResponse:
    """Find hosts for a further terminal (`q`)."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    rows = choosing.found(request.user, words)
    return JsonResponse({"hosts": [row.as_json() for row in rows]})


# ---- Ways to the page


@entering
@require_safe
def host_terminal(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead from a host to a terminal on it."""
    host = find(host_resource(), request.user, pk, "terminal")
    return _to_page({"host": [host.pk]})


@entering
@require_safe
def hostgroup_terminal(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead from a group to terminals on its hosts."""
    group = find(group_resource(), request.user, pk)
    return _to_page({"group": [group.pk]})


@entering
@require_POST
def host_bulk_terminal(request: HttpRequest) -> HttpResponse:
    """Lead from chosen hosts of the list to terminals on them."""
    resource = host_resource()
    chosen = selection.of_form(resource, request.POST, request.user)
    if chosen.count > choosing.MOST_LISTED:
        raise DomainError(
            _("%(count)s hosts are too many at once.") % {"count": chosen.count},
            _("Choose at most %(most)s.") % {"most": choosing.MOST_LISTED},
        )
    keys = chosen.rows(request.user, "terminal").values_list("pk", flat=True)
    return _to_page({"host": list(keys)})


def _to_page(asked: dict[str, list[int]]) -> HttpResponse:
    return redirect(f"{reverse('tasks:terminal')}?{urlencode(asked, doseq=True)}")


def _numbers(texts: list[str]) -> list[int]:
    """Read keys; what is none is left out, and more than the page lists."""
    fit = [int(t) for t in texts if t.isascii() and t.isdecimal() and len(t) < 16]
    return fit[: choosing.MOST_LISTED + 1]


def _session_json(session: TerminalSession) -> dict[str, Any]:
    return {
        "session": session.pk,
        "key": session.key,
        "host": session.host_id,
        "name": session.host_name,
        "login": session.login,
        "socket": f"/ws/tasks/terminals/{session.key}/",
        "ticket_url": reverse("tasks:terminal_ticket", args=[session.pk]),
    }


def _config(request: HttpRequest) -> dict[str, Any]:
    """Give what the page's scripts have to know."""
    return {
        "together": new_key() if may_together(request.user) else "",
        "open_url": reverse("tasks:terminal_open"),
        "hosts_url": reverse("tasks:terminal_hosts"),
        "host_url": reverse("cmdb:host_detail", args=[0]),
        "confirm_url": reverse("accounts:confirm"),
        "away": settings.TERMINAL_AWAY_SECONDS,
        "most": settings.TERMINAL_USER_MOST,
    }


def _page(request: HttpRequest, config: dict[str, Any], name: str) -> HttpResponse:
    title = _("Terminal on %(host)s") % {"host": name} if name else _("Terminals")
    context = {
        "config": config,
        "credentials": choosing.usable_credentials(request.user),
        "page_title": title,
        "crumbs": [(_("Hosts"), reverse("cmdb:host_list")), (title, None)],
    }
    return render(request, "tasks/terminal.html", context)
