"""Decides which host a machine is when its agent enrols, keeps the evidence, and notices when the machine is another."""

import functools
import operator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset.errors import Conflict
from cmdb.evidence import Evidence
from cmdb.models import Agent, Host, HostIdentifier, IdentityConflict, silent_before

HARDWARE = ("product_uuid", "serial")
KINDS, VERDICTS = IdentityConflict.Kind, IdentityConflict.Verdict
# An enrolment follows what a person decided for so long.
RULING_DAYS = 7
LINKING = (VERDICTS.ACCEPT, VERDICTS.MERGE, VERDICTS.REIMAGED)
RULINGS = (*LINKING, VERDICTS.SPLIT, VERDICTS.CLONE)


class OutOfReach(Conflict):
    """The machine is a host that whoever lets it in does not look after."""


class Undecided(Conflict):
    """Which host the machine is, a person has to say; bears what the queue of conflicts needs."""

    kind: IdentityConflict.Kind
    hosts: list[Host]


@dataclass(frozen=True)
class Match:
    """What a machine is: a host, or None for a host of its own; and the decision of a person that this follows."""

    host: Host | None
    ruling: IdentityConflict | None = None


@dataclass(frozen=True)
class Likeness:
    """How a host compares with a machine: kinds of evidence that agree, and those that both know and that differ."""

    host: Host
    agree: frozenset[str]
    differ: frozenset[str]

    @property
    def is_strong(self) -> bool:
        """Say whether enough agrees: the cloud's word, the machine id, or hardware UUID and serial number together."""
        return bool(self.agree & {"cloud", "machine_id"}) or self.agree.issuperset(
            HARDWARE
        )

    @property
    def fits(self) -> bool:
        """Say whether it is strong and the hardware is no other: the UUID decides, without one the serial number."""
        compared = [k for k in HARDWARE if k in self.agree | self.differ]
        other = bool(compared) and compared[0] in self.differ
        return self.is_strong and ("cloud" in self.agree or not other)

    @property
    def contradicts(self) -> bool:
        """Say whether serial number and UUID disagree about whether this is the machine."""
        hardware = frozenset(HARDWARE)
        return bool(self.agree & hardware) and bool(self.differ & hardware)


def match(evidence: Evidence, within: QuerySet[Host]) -> Match:
    """Give the one host that the evidence means, none for a machine that was never here.

    What a person decided of this very evidence comes first. A host whose agent still reports is never taken over.

    Args:
        within: hosts that whoever lets the machine in looks after. What a machine says of itself proves nothing: no
            other host is given, and none is named.

    Raises:
        OutOfReach: the machine is a host beyond these.
        Undecided: it looks like one that still reports, like several, or its evidence disagrees with itself.
    """
    if ruling := _ruling(evidence):
        return Match(ruling.chosen if ruling.verdict in LINKING else None, ruling)
    likes = _likenesses(evidence)
    keys = [each.host.pk for each in likes]
    reached = set(within.filter(pk__in=keys).values_list("pk", flat=True))
    strong = [each.host for each in likes if each.is_strong]
    fitting = [each.host for each in likes if each.fits]
    for host in fitting or strong:
        if _is_live(host):
            raise _undecided(_clone(host if host.pk in reached else None), [host])
    if len(fitting) > 1:
        named = [host for host in fitting if host.pk in reached]
        raise _undecided(_several(named), fitting)
    if fitting and fitting[0].pk not in reached:
        raise _beyond()
    doubtful = [each.host for each in likes if each.contradicts]
    if doubtful and not fitting:
        named = [host for host in doubtful if host.pk in reached]
        raise _undecided(_contradicting(named), doubtful)
    return Match(fitting[0] if fitting else None)


def _ruling(evidence: Evidence) -> IdentityConflict | None:
    since = timezone.now() - timedelta(days=RULING_DAYS)
    rows = IdentityConflict.objects.filter(
        fingerprint=evidence.fingerprint(),
        verdict__in=RULINGS,
        agent=None,
        used_at=None,
        decided_at__gt=since,
    )
    found = rows.select_related("chosen__agent").order_by("-decided_at").first()
    # The host that was chosen may be gone since.
    lost = found and found.verdict in LINKING and found.chosen is None
    return None if lost else found


def _either(pairs: list[tuple[str, str]]) -> Q:
    terms = (Q(kind=kind, value=value) for kind, value in pairs)
    return functools.reduce(operator.or_, terms, Q(pk__in=()))


def _likenesses(evidence: Evidence) -> list[Likeness]:
    mine = {kind: value for kind, value in evidence.identifiers() if kind != "mac"}
    rows = HostIdentifier.objects.filter(
        _either(list(mine.items())), quality=HostIdentifier.Quality.GOOD
    )
    keys = set(rows.values_list("host_id", flat=True)) if mine else set()
    hosts = Host.objects.filter(pk__in=keys).order_by("pk")
    return [
        _compare(host, mine)
        for host in hosts.select_related("agent").prefetch_related("identifiers")
    ]


def _compare(host: Host, mine: dict[str, str]) -> Likeness:
    theirs: dict[str, set[str]] = {}
    worthless = set()
    for each in host.identifiers.all():
        theirs.setdefault(each.kind, set()).add(each.value)
        if each.quality == HostIdentifier.Quality.SHARED:
            worthless.add((each.kind, each.value))
    both = {
        kind: value
        for kind, value in mine.items()
        if kind in theirs and (kind, value) not in worthless
    }
    agree = frozenset(kind for kind, value in both.items() if value in theirs[kind])
    return Likeness(host, agree, frozenset(both) - agree)


def _is_live(host: Host) -> bool:
    agent: Agent | None = getattr(host, "agent", None)
    return agent is not None and agent.is_live


def _undecided(error: Undecided, hosts: list[Host]) -> Undecided:
    error.kind, error.hosts = KINDS(error.code), hosts
    return error


def _clone(host: Host | None) -> Undecided:
    if host is None:
        return Undecided(
            _("This machine looks like a host whose agent still reports."),
            _(
                "If it is a copy, give it a machine id of its own (systemd-machine-id-setup) and enrol again. "
                "Otherwise ask whoever looks after that host."
            ),
            code=KINDS.CLONE.value,
        )
    return Undecided(
        _("This machine looks like %(host)s, whose agent still reports.")
        % {"host": host},
        _(
            "If it is a copy, give it a machine id of its own (systemd-machine-id-setup) and enrol again. "
            "If it is %(host)s installed anew, say so on the page of identity conflicts and enrol again."
        )
        % {"host": host},
        code=KINDS.CLONE.value,
    )


def _beyond() -> OutOfReach:
    return OutOfReach(
        _("This machine looks like a host that others look after."),
        _(
            "Ask somebody who looks after that host too to let the agent in, or enrol it with a token of that host's group."
        ),
        code="host_out_of_reach",
    )


def _named(hosts: list[Host]) -> str:
    return ", ".join(str(host) for host in hosts[:5]) or _("not yours")


def _several(hosts: list[Host]) -> Undecided:
    return Undecided(
        _("This machine looks like several hosts: %(names)s.")
        % {"names": _named(hosts)},
        _("Decide on the page of identity conflicts which it is, then enrol again."),
        code=KINDS.SEVERAL.value,
    )


def _contradicting(hosts: list[Host]) -> Undecided:
    return Undecided(
        _(
            "This machine's serial number and hardware UUID disagree on whether it is %(names)s."
        )
        % {"names": _named(hosts)},
        _("Decide on the page of identity conflicts which it is, then enrol again."),
        code=KINDS.CONTRADICTION.value,
    )


def remember(host: Host, evidence: Evidence) -> None:
    """Keep the evidence of a host: what was seen before stays, and what another live host shows too is none any more."""
    found = evidence.identifiers()
    if not found:
        return
    HostIdentifier.objects.bulk_create(
        [HostIdentifier(host=host, kind=kind, value=value) for kind, value in found],
        ignore_conflicts=True,
    )
    rows = HostIdentifier.objects.filter(_either(found))
    rows.filter(host=host).update(last_seen_at=timezone.now())
    alive = rows.exclude(host=host).filter(
        host__agent__revoked_at=None, host__agent__last_seen_at__gt=silent_before()
    )
    demote(list(alive.values_list("kind", "value").distinct()))


def demote_shared(host: Host, evidence: Evidence) -> None:
    """Say of what a host shows together with others that it tells none from the other."""
    rows = HostIdentifier.objects.filter(_either(evidence.identifiers()))
    others = rows.exclude(host=host)
    demote(list(others.values_list("kind", "value").distinct()))


def demote(pairs: list[tuple[str, str]]) -> None:
    """Say of pieces of evidence that several machines show them: they decide nothing any more."""
    if pairs:
        rows = HostIdentifier.objects.filter(_either(pairs))
        rows.update(quality=HostIdentifier.Quality.SHARED)


def is_reimaged(host: Host, evidence: Evidence) -> bool:
    """Say whether the hardware is the same but the machine id is a new one."""
    known = {i.value for i in host.identifiers.all() if i.kind == "machine_id"}
    return bool(evidence.machine_id and known and evidence.machine_id not in known)


def hardware_change(host: Host, evidence: Evidence) -> IdentityConflict.Kind | None:
    """Say what became of a host whose agent reports other hardware than ever before; None: it is the same.

    The same chassis with another board is a board that was swapped; when all differs, the disk runs elsewhere.
    """
    mine = {kind: value for kind, value in evidence.identifiers() if kind != "mac"}
    like = _compare(host, mine)
    changed = like.differ & frozenset(HARDWARE)
    if not changed:
        return None
    if "chassis_serial" in like.agree | like.differ:
        moved = "chassis_serial" in like.differ
    else:
        moved = changed == frozenset(HARDWARE)
    return KINDS.DISK_MOVED if moved else KINDS.BOARD_SWAP
