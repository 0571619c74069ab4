"""The decisions on conflicts of identity: each a POST of its own."""

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import User
from adminset.errors import DomainError
from adminset.http import requires
from cmdb import selectors
from cmdb.conflict_sides import sides
from cmdb.models import Host, IdentityConflict
from cmdb.services import rulings

MAY = "cmdb.change_agent"
VERDICTS = IdentityConflict.Verdict


def _to_decide(
    request: HttpRequest, pk: int
) -> tuple[IdentityConflict, dict[str, Any]]:
    """Give a conflict whose hosts, and whose agent, the user may change; with its sides.

    Raises:
        Http404: there is none that the user may see.
        PermissionDenied: the user may not change all that it is about.
    """
    seen = IdentityConflict.objects.visible_to(request.user).filter(pk=pk)
    conflict: IdentityConflict | None = seen.select_related("agent").first()
    if conflict is None:
        raise Http404
    shown = sides(conflict, request.user)
    if not shown["may_decide"]:
        raise PermissionDenied(MAY)
    return conflict, shown


def _host(request: HttpRequest, name: str, among: list[Host]) -> Host | None:
    """Give a host that the user chose and may change.

    Raises:
        Http404: there is none that the user may see, or the conflict is not about it.
        PermissionDenied: the user may only look at it.
    """
    said = request.POST.get(name, "")
    # As long as any id; a longer number is no id, and no database takes it.
    if not (said.isascii() and said.isdecimal() and len(said) < 19):
        return None
    host: Host = selectors.to_change(Host, request.user, int(said))
    if host not in among:
        raise Http404
    return host


def _other(request: HttpRequest, shown: dict[str, Any]) -> Host | None:
    """Give the host that goes into the chosen one: its end needs the right to delete it.

    Raises:
        Http404, PermissionDenied: see _host.
    """
    other = _host(request, "other", shown["hosts"])
    if other is not None and other not in shown["may_go"]:
        raise PermissionDenied("cmdb.delete_host")
    return other


def _decide(request: HttpRequest, pk: int, verdict: str) -> HttpResponse:
    conflict, shown = _to_decide(request, pk)
    merges = verdict == VERDICTS.MERGE
    try:
        rulings.decide(
            actor=cast("User", request.user),
            conflict=conflict,
            verdict=verdict,
            host=_host(request, "host", shown["hosts"]),
            other=_other(request, shown) if merges else None,
        )
    except DomainError as error:
        messages.error(request, f"{error.message} {error.hint}".strip())
        return redirect(conflict)
    said = VERDICTS(verdict).label
    messages.success(request, _("Decided: %(what)s.") % {"what": said})
    return redirect(conflict)


@requires(MAY)
@require_POST
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that the machine is this host."""
    return _decide(request, pk, VERDICTS.ACCEPT)


@requires(MAY)
@require_POST
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that two hosts are one."""
    return _decide(request, pk, VERDICTS.MERGE)


@requires(MAY)
@require_POST
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that the machine is a host of its own."""
    return _decide(request, pk, VERDICTS.SPLIT)


@requires(MAY)
@require_POST
def reimaged(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that the machine is this host, installed anew."""
    return _decide(request, pk, VERDICTS.REIMAGED)


@requires(MAY)
@require_POST
def clone(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that the machine is a copy."""
    return _decide(request, pk, VERDICTS.CLONE)


@requires(MAY)
@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that there is nothing to decide."""
    return _decide(request, pk, VERDICTS.DISMISS)


@requires(MAY)
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a merge back."""
    conflict, _shown = _to_decide(request, pk)
    try:
        back = rulings.undo_merge(actor=cast("User", request.user), conflict=conflict)
    except DomainError as error:
        messages.error(request, f"{error.message} {error.hint}".strip())
    else:
        messages.success(request, _("%(host)s is back.") % {"host": back})
    return redirect(conflict)
