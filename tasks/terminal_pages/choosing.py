"""Hosts on which a user is about to open terminals: which, with which credential, and what stands in the way."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError, NotFound
from cmdb.models import Credential, Host
from cmdb.selectors import hosts_for_run
from tasks.launching.preview import why_critical
from tasks.terminal.judging import check_credential

# Of a group of a thousand nobody opens all.
MOST_LISTED = 100


@dataclass(frozen=True)
class Candidate:
    """A host as the opening form shows it.

    Attributes:
        critical: why it counts as critical, "" where it does not. problem: why its own credential does not do.
    """

    host: Host
    critical: str
    problem: str

    def as_json(self) -> dict[str, Any]:
        """Give it to the page's scripts."""
        credential = self.host.credential
        return {
            "id": self.host.pk,
            "name": self.host.hostname,
            "address": self.host.address or "",
            "credential": "" if self.problem or credential is None else str(credential),
            "critical": self.critical,
            "problem": self.problem,
        }


def candidates(
    user: Any, host_ids: Iterable[int] = (), group_ids: Iterable[int] = ()
) -> list[Candidate]:
    """Give the chosen hosts and those of the chosen groups on which the user may open a terminal: at most MOST_LISTED + 1."""
    rows = hosts_for_run(user, host_ids, group_ids, action="terminal")
    ordered = rows.order_by("hostname", "pk").distinct().prefetch_related("tags")
    return _judged(user, list(ordered[: MOST_LISTED + 1]))


def found(user: Any, words: str, most: int = 10) -> list[Candidate]:
    """Look for hosts by the beginning of a name or address, or a part of a name."""
    rows = Host.objects.visible_to(user, "terminal").select_related("credential")
    if words:
        rows = rows.filter(hostname__icontains=words) | rows.filter(
            address__startswith=words
        )
    ordered = rows.order_by("hostname", "pk").distinct().prefetch_related("tags")
    return _judged(user, list(ordered[:most]))


def _judged(user: Any, hosts: list[Host]) -> list[Candidate]:
    wanted = {host.credential_id for host in hosts if host.credential_id}
    usable = set(
        Credential.objects.visible_to(user, "use")
        .filter(pk__in=wanted)
        .values_list("pk", flat=True)
    )
    return [
        Candidate(host, _critical(host), _problem(user, host, usable)) for host in hosts
    ]


def _critical(host: Host) -> str:
    """Say it by the rules of judging.critical_because, with tags that were brought along."""
    tags = {tag.name for tag in host.tags.all()}
    return why_critical(host, sorted(tags & set(settings.RUN_CRITICAL_TAGS)))


def _problem(user: Any, host: Host, usable: set[int]) -> str:
    if host.credential_id in usable:
        return ""
    try:
        check_credential(user, host.credential, host)
    except DomainError as error:
        return f"{error.message} {error.hint}".strip()
    return ""


def host_of(user: Any, pk: int) -> Host:
    """Give a host that the user sees; whether a terminal may be opened there is asked where it is opened.

    Raises:
        NotFound: there is none, or the user may not know of it.
    """
    rows = Host.objects.visible_to(user).select_related("credential", "idc")
    host = rows.filter(pk=pk).first()
    if host is None:
        raise NotFound(_("There is no such host."))
    return host


def usable_credentials(user: Any) -> list[tuple[int, str]]:
    """Give (id, name) of the credentials with which the user may sign in."""
    rows = Credential.objects.visible_to(user, "use").order_by("name")
    return [(credential.pk, str(credential)) for credential in rows]
