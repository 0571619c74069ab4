"""What a host's page leads to in this room: its key, and a run on it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from adminset.errors import DomainError
from adminset.http import requires
from cmdb.models import Host
from cmdb.services.hosts import accept_host_key
from tasks.services.hostkeys import read_host_key
from tasks.sites.ways import way_words
from tasks.targets import HostKey


def _find(request: Any, pk: int) -> Host:
    """Get a host that the user may change; 404 where it cannot be seen, 403 where it may not be changed."""
    host = (
        Host.objects.visible_to(request.user)
        .select_related("credential")
        .filter(pk=pk)
        .first()
    )
    if host is None:
        raise Http404(_("There is no such host."))
    if not Host.objects.visible_to(request.user, "change").filter(pk=pk).exists():
        raise PermissionDenied("cmdb.change_host")
    return host


@requires("cmdb.change_host")
@require_http_methods(["GET", "HEAD", "POST"])
def host_key(request: Any, pk: int) -> HttpResponse:
    """Show the pinned key of a host; read the one that it shows now; pin what a person has compared."""
    host = _find(request, pk)
    offered: HostKey | None = None
    error: DomainError | None = None
    if request.method == "POST" and request.POST.get("action") == "accept":
        accept_host_key(
            actor=request.user, host=host, public_key=request.POST.get("public_key", "")
        )
        messages.success(
            request, _("The key of %(host)s is accepted.") % {"host": host}
        )
        return redirect("tasks:host_key", pk)
    if request.method == "POST":
        try:
            offered = read_host_key(host=host)
        except DomainError as problem:
            error = problem
    pinned = HostKey.parse(host.host_key) if host.host_key else None
    context = {
        "host": host,
        "pinned": pinned,
        "offered": offered,
        "error": error,
        "way": way_words(host),
        "key_file": _key_file(offered),
        "changed": bool(pinned and offered and pinned.public != offered.public),
        "page_title": _("Host key"),
        "crumbs": [
            (_("Hosts"), reverse("cmdb:host_list")),
            (host.hostname, reverse("cmdb:host_detail", args=[pk])),
            (_("Host key"), None),
        ],
    }
    return render(request, "tasks/host_key.html", context, status=422 if error else 200)


def _key_file(key: HostKey | None) -> str:
    """Name the kind of key as OpenSSH's files have it: ed25519, rsa or ecdsa."""
    words = key.algorithm.split("-") if key else []
    return next((word for word in words if word in {"ed25519", "rsa", "ecdsa"}), "")


@requires("tasks.add_run")
@require_safe
def host_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead from a host to the launch page."""
    if not Host.objects.visible_to(request.user).filter(pk=pk).exists():
        raise Http404(_("There is no such host."))
    return redirect(f"{reverse('tasks:run_add')}?host={pk}")
