"""Asking for a leg: a run that a room above makes, with a program of its own and values for its environment."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import DomainError, Forbidden
from cmdb.models import Host
from tasks.legs.judging import allowed_hosts
from tasks.models import Run, RunLeg
from tasks.services.cancel import cancel_run
from tasks.services.placing import named, place
from tasks.services.queues import call
from tasks.ssh.lines import LONGEST_SCRIPT

NAME = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)
PURPOSE = re.compile(r"[a-z]+(\.[a-z_]+)+", re.ASCII)
# What the portal itself gives to the program: no value may stand in its place.
TAKEN = frozenset({"AS_MARK", "ADMINSET_RUN", "PATH", "IFS", "ENV", "HOME"})
# The kernel takes no longer one into an environment.
LONGEST_VALUE = 100_000
MOST_FORKS = 200
Values = Mapping[str, str]


class Sendable(Protocol):
    """A file for the stdin of a leg's program on one host."""

    @property
    def path(self) -> str | Path: ...

    @property
    def sha256(self) -> str: ...

    @property
    def size(self) -> int: ...


@dataclass(frozen=True)
class SendFile:
    """A file of the portal's machine, its SHA-256 (hex) and its size in bytes."""

    path: str | Path
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Leg:
    """What runs on which hosts (ids of cmdb's Host), and with what.

    `program` is run by /bin/sh. `values` reach all hosts in its environment, `host_values` one each and before them; the
    secret ones are sealed in the row and masked in the output. `send` goes to the program's stdin. `purpose`
    ("delivery.activate") names by its first word the room whose judge is asked. `subject` ("delivery.deploy:17") is linked on the
    page of the run. `urgent` does not wait behind other runs. `repeatable`: it may begin anew where a worker was lost.
    """

    title: str
    purpose: str
    program: str
    host_ids: tuple[int, ...]
    values: Values = field(default_factory=dict)
    host_values: Mapping[int, Values] = field(default_factory=dict)
    secret_values: Values = field(default_factory=dict, repr=False)
    host_secret_values: Mapping[int, Values] = field(default_factory=dict, repr=False)
    send: Mapping[int, Sendable] = field(default_factory=dict)
    forks: int = field(default_factory=lambda: settings.RUN_FORKS)
    timeout_seconds: int = field(default_factory=lambda: settings.RUN_TIMEOUT_SECONDS)
    connect_timeout_seconds: int | None = None
    urgent: bool = False
    repeatable: bool = True
    subject: str = ""


def request_leg(*, actor: Any, leg: Leg, key: str) -> Run:
    """Write down a leg for workers to take; the same key twice is the same run, whatever else the second call says.

    Args:
        actor: the user for whom it runs, or the portal itself (audit.SystemActor).

    Raises:
        Forbidden: the judge of its room says no to one of the hosts, or one is not there any more.
        DomainError: nothing to run, no host, or what no host could take.
    """
    found = _known(key)
    if found is not None:
        return found
    _check(leg, key)
    try:
        with transaction.atomic():
            return _write(actor, leg, key)
    except IntegrityError:
        # Somebody else asked for the same in this moment.
        found = _known(key)
        if found is None:
            raise
        return found


def cancel_leg(*, actor: Any, run: Run) -> Run:
    """Stop a leg, on the hosts too; nothing where it has ended or is being stopped."""
    fresh = Run.objects.get(pk=run.pk)
    if not fresh.is_open or fresh.cancel_requested_at:
        return fresh
    return cancel_run(actor=actor, run=fresh)


def send_leg(run: Run) -> None:
    """Call workers for a leg once this transaction is written; where Redis is away the sweeper calls later."""
    for part in run.parts.filter(status="queued"):
        call(part)


def _known(key: str) -> Run | None:
    return Run.objects.filter(leg_key=key).first() if key else None


def _write(actor: Any, leg: Leg, key: str) -> Run:
    person = actor if getattr(actor, "pk", None) else None
    run = Run(
        kind=Run.Kind.DEPLOY,
        title=leg.title[:200],
        leg_key=key,
        purpose=leg.purpose,
        subject=leg.subject,
        requested_by=person,
        requested_by_name=(person.username if person else actor.audit_name)[:150],
        forks=leg.forks,
        repeatable=leg.repeatable,
        timeout_seconds=leg.timeout_seconds,
        connect_timeout_seconds=leg.connect_timeout_seconds,
        run_timeout_seconds=_patience(leg),
        sealed=_sealed(leg),  # type: ignore[misc]
    )
    hosts = _hosts(run, leg)
    run.host_count = len(hosts)
    run.save()
    RunLeg.objects.create(
        run=run,
        program=leg.program,
        values=dict(leg.values),
        host_values=_by_host(leg.host_values),
        send=_files(leg),
        urgent=leg.urgent,
        by_portal=person is None,
    )
    place(run, [(host, 0) for host in hosts], urgent=leg.urgent)
    audit.record(actor, "run.request", run, changes=_words(leg, hosts))
    return run


def _patience(leg: Leg) -> int:
    """Give the seconds after which a leg is over, whoever it still waits for: whoever asked for it waits, too."""
    connect = leg.connect_timeout_seconds or settings.RUN_CONNECT_TIMEOUT_SECONDS
    turns = math.ceil(len(set(leg.host_ids)) / leg.forks) + 1
    wait = settings.LEG_URGENT_WAIT_SECONDS if leg.urgent else settings.LEG_WAIT_SECONDS
    return turns * (leg.timeout_seconds + connect) + wait


def _hosts(run: Run, leg: Leg) -> list[Host]:
    wanted = set(leg.host_ids)
    rows = Host.objects.filter(pk__in=wanted).select_related("credential", "idc")
    hosts = list(rows.order_by("hostname", "id"))
    refused = len(wanted - allowed_hosts(run, hosts))
    if refused:
        raise Forbidden(
            _("%(count)s hosts may not be delivered to.") % {"count": refused},
            _(
                "They may have left the environment, or who put them there may not run work on them any more."
            ),
            code="host_refused",
        )
    return hosts


def _sealed(leg: Leg) -> str | None:
    told = {"all": dict(leg.secret_values), "hosts": _by_host(leg.host_secret_values)}
    return json.dumps(told) if any(told.values()) else None


def _by_host(values: Mapping[int, Values]) -> dict[str, dict[str, str]]:
    return {str(pk): dict(own) for pk, own in values.items() if own}


def _files(leg: Leg) -> dict[str, dict[str, Any]]:
    return {
        str(pk): {"path": str(one.path), "sha256": one.sha256, "size": one.size}
        for pk, one in leg.send.items()
    }


def _words(leg: Leg, hosts: list[Host]) -> list[audit.Change]:
    told = {
        "kind": Run.Kind.DEPLOY.value,
        "purpose": leg.purpose,
        "subject": leg.subject,
        "hosts": named(hosts),
    }
    return [
        {"field": name, "old": None, "new": value}
        for name, value in told.items()
        if value
    ]


def _check(leg: Leg, key: str) -> None:
    """Refuse what no host could take; the words are for the log of whoever wrote the leg."""
    names = [*leg.values, *leg.secret_values]
    texts = [*leg.values.values(), *leg.secret_values.values()]
    for own in (*leg.host_values.values(), *leg.host_secret_values.values()):
        names += own
        texts += own.values()
    wrong = [name for name in names if not NAME.fullmatch(name) or name in TAKEN]
    beyond = {*leg.host_values, *leg.host_secret_values, *leg.send} - {*leg.host_ids}
    faults = {
        "no key": not key or len(key) > 200,
        "no purpose": not PURPOSE.fullmatch(leg.purpose) or len(leg.purpose) > 100,
        "no program": not leg.program.strip(),
        "a program longer than 1 MiB": len(leg.program.encode()) > LONGEST_SCRIPT,
        f"a value called {''.join(wrong[:1])!r}": bool(wrong),
        "a NUL character": any("\0" in text for text in (*texts, leg.program)),
        "a value longer than 100 KB": any(
            len(text.encode(errors="replace")) > LONGEST_VALUE for text in texts
        ),
        "something for a host that is none of its hosts": bool(beyond),
        "forks or time-outs out of range": not 1 <= leg.forks <= MOST_FORKS
        or leg.timeout_seconds < 1,
        "a subject that is too long": len(leg.subject) > 100,
        "too many hosts": len(set(leg.host_ids)) > settings.RUN_MAX_TARGETS,
    }
    found = [words for words, true in faults.items() if true]
    if found:
        raise DomainError(
            _("The work for the hosts could not be prepared: %(why)s.")
            % {"why": ", ".join(found)},
            code="bad_leg",
        )
    if not leg.host_ids:
        raise DomainError(_("There is no host to run on."), code="no_host")
