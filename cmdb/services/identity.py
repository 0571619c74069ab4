"""Decides which host a machine is when its agent enrols, and keeps the evidence."""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from adminset.errors import Conflict
from cmdb.evidence import Evidence
from cmdb.models import Agent, Host, HostIdentifier

HARDWARE = ("product_uuid", "serial")


class OutOfReach(Conflict):
    """The machine is a host that whoever lets it in does not look after."""


def match(evidence: Evidence, within: QuerySet[Host]) -> Host | None:
    """Give the one host that the evidence means, None for a machine that was never here.

    Strong evidence is the machine id, or hardware UUID and serial number together. Hardware that differs speaks
    against a host: then it is a copy of its disk. A host whose agent still reports is never taken over.

    Args:
        within: hosts that whoever lets the machine in looks after. What a machine says of itself proves nothing: no
            other host is given, and none is named.

    Raises:
        OutOfReach: the machine is a host beyond these.
        Conflict: the machine looks like one that still reports, or like several.
    """
    strong = _strong(evidence)
    keys = within.filter(pk__in=[host.pk for host in strong])
    reached = set(keys.values_list("pk", flat=True)) if strong else set()
    fitting = [host for host in strong if not _contradicts(evidence, host)]
    for host in fitting or strong:
        if _is_live(host):
            raise _clone(host if host.pk in reached else None)
    if len(fitting) > 1:
        raise _several([host for host in fitting if host.pk in reached])
    if fitting and fitting[0].pk not in reached:
        raise _beyond()
    return fitting[0] if fitting else None


def _strong(evidence: Evidence) -> list[Host]:
    wanted = [(k, v) for k, v in evidence.identifiers() if k != "mac"]
    if not wanted:
        return []
    either = Q()
    for kind, value in wanted:
        either |= Q(kind=kind, value=value)
    kinds: dict[int, set[str]] = {}
    for host_id, kind in HostIdentifier.objects.filter(either).values_list(
        "host_id", "kind"
    ):
        kinds.setdefault(host_id, set()).add(kind)
    keys = [
        host_id
        for host_id, found in kinds.items()
        if "machine_id" in found or found.issuperset(HARDWARE)
    ]
    hosts = Host.objects.filter(pk__in=keys).order_by("pk")
    return list(hosts.select_related("agent").prefetch_related("identifiers"))


def _contradicts(evidence: Evidence, host: Host) -> bool:
    """Say whether hardware that both sides know is another: the UUID decides, without one the serial number."""
    for kind in HARDWARE:
        mine = getattr(evidence, kind)
        theirs = {i.value for i in host.identifiers.all() if i.kind == kind}
        if mine and theirs:
            return mine not in theirs
    return False


def _is_live(host: Host) -> bool:
    agent: Agent | None = getattr(host, "agent", None)
    return agent is not None and agent.is_live


def _clone(host: Host | None) -> Conflict:
    if host is None:
        return Conflict(
            _("This machine looks like a host whose agent still reports."),
            _(
                "If it is a copy, give it a machine id of its own (systemd-machine-id-setup) and enrol again. "
                "Otherwise ask whoever looks after that host."
            ),
            code="clone_suspected",
        )
    return Conflict(
        _("This machine looks like %(host)s, whose agent still reports.")
        % {"host": host},
        _(
            "If it is a copy, give it a machine id of its own (systemd-machine-id-setup) and enrol again. "
            "If it is %(host)s installed anew, revoke the old agent on its page and enrol again."
        )
        % {"host": host},
        code="clone_suspected",
    )


def _beyond() -> OutOfReach:
    return OutOfReach(
        _("This machine looks like a host that others look after."),
        _(
            "Ask somebody who looks after that host too to let the agent in, or enrol it with a token of that host's group."
        ),
        code="host_out_of_reach",
    )


def _several(hosts: list[Host]) -> Conflict:
    names = ", ".join(str(host) for host in hosts[:5]) or _("not yours")
    return Conflict(
        _("This machine looks like several hosts: %(names)s.") % {"names": names},
        _("Delete those that are gone, then enrol again."),
        code="identity_conflict",
    )


def remember(host: Host, evidence: Evidence) -> None:
    """Keep what is new of the evidence; what was seen before stays."""
    HostIdentifier.objects.bulk_create(
        [
            HostIdentifier(host=host, kind=kind, value=value)
            for kind, value in evidence.identifiers()
        ],
        ignore_conflicts=True,
    )


def is_reimaged(host: Host, evidence: Evidence) -> bool:
    """Say whether the hardware is the same but the machine id is a new one."""
    known = {i.value for i in host.identifiers.all() if i.kind == "machine_id"}
    return bool(evidence.machine_id and known and evidence.machine_id not in known)
