"""Locks on the hosts themselves: taking one away that nobody gives back any more."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from adminset.errors import DomainError
from adminset.http import form_refuses, requires
from appconf.models import Environment
from cmdb.models import Host
from delivery.act_forms import HolderForm
from delivery.onhost.told import Lock
from delivery.pages.finding import find
from delivery.pages.showing import head
from delivery.safety import host_locks
from tasks.models import Run


@requires(host_locks.RIGHT)
@require_http_methods(["GET", "HEAD", "POST"])
def host_unlock(request: HttpRequest, pk: int, host: int) -> HttpResponse:
    """Ask why, and take away the lock that lies on a host."""
    environment, found = _found(request.user, pk, host)
    lock = host_locks.seen(environment, [found.pk]).get(found.pk)
    if request.method != "POST" and lock is None:
        messages.info(request, _told(lock))
        return redirect("delivery:environment_live", environment.pk)
    data = request.POST if request.method == "POST" else None
    form = HolderForm(data, initial={"holder": lock.deploy if lock else ""})
    if form.is_valid():
        wanted = {"environment": environment, "host": found} | form.cleaned_data
        try:
            run = host_locks.break_host_lock(actor=request.user, **wanted)
        except DomainError as error:
            form_refuses(form, error)
        else:
            return _asked(request, environment, run)
    return _page(request, environment, found, form, lock)


def _asked(request: HttpRequest, environment: Environment, run: Run) -> HttpResponse:
    """Show the run that says what came of it; what is live there to who may not see runs."""
    if Run.objects.visible_to(request.user).filter(pk=run.pk).exists():
        messages.info(request, _("The host is asked to give its lock away."))
        return redirect(run)
    return redirect("delivery:environment_live", environment.pk)


def _found(user: Any, pk: int, host: int) -> tuple[Environment, Host]:
    """Find a host of an environment whose locks the user may take away."""
    environment = find(Environment, user, pk)
    if not host_locks.may_break(user, environment):
        raise PermissionDenied(host_locks.RIGHT)
    hosts = environment.all_hosts().filter(pk__in=Host.objects.visible_to(user))
    found = hosts.filter(pk=host).first()
    if found is None:
        raise Http404(_("There is no such host in this environment."))
    return environment, found


def _page(
    request: HttpRequest,
    environment: Environment,
    host: Host,
    form: HolderForm,
    lock: Lock | None,
) -> HttpResponse:
    here = reverse("delivery:environment_live", args=[environment.pk])
    above = (_("What is live where"), reverse("delivery:live"))
    title = _("Take away the lock of %(host)s") % {"host": host.hostname}
    context = head(title, above, (str(environment), here)) | {
        "form": form,
        "told": _told(lock),
        "cancel_url": here,
        "submit_title": _("Take the lock away"),
    }
    status = 422 if form.errors else 200
    return render(request, "delivery/deploylock_reason.html", context, status=status)


def _told(lock: Lock | None) -> str:
    """Say whose lock it is, in the words of the host, and when it is taken away by hand."""
    if lock is None:
        return _("When the host was read last, no lock lay there.")
    words = _(
        "When the host was read last, the lock of deploy %(deploy)s of %(who)s lay there, taken %(taken)s: %(reason)s. The next deploy takes away what an ended deploy of this project left; by hand it is needed where the portal does not know that deploy any more. If another deploy takes the lock meanwhile, it stays."
    )
    unknown = _("unknown")
    return words % {
        "deploy": lock.deploy,
        "who": lock.who or unknown,
        "taken": _moment(lock.taken) or unknown,
        "reason": lock.reason or unknown,
    }


def _moment(said: str) -> str:
    """Give a moment that a host told, as others are shown here; as it stands where it is none."""
    try:
        moment = timezone.localtime(datetime.fromisoformat(said))
    except (ValueError, OverflowError):
        return said
    return date_format(moment, "DATETIME_FORMAT")
