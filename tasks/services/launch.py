"""Asking for a run: who, what, on which hosts; frozen as it is asked for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import audit
from adminset.errors import DomainError, Forbidden
from adminset.querysets import everywhere, may
from cmdb.models import Credential, Host
from tasks.models import Playbook, Run, RunHost, Schedule, Work
from tasks.modules import is_control, is_safe
from tasks.selectors import resolve_hosts

Kind = Work.Kind
NAMES_IN_TRAIL = 100


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What to run, and on which hosts and groups (ids of cmdb's Host and HostGroup).

    `playbook_text` is for repeating a run whose playbook has changed since; else the playbook's own text is taken.
    """

    kind: str = Kind.COMMAND
    command: str = ""
    module: str = ""
    arguments: str = ""
    playbook: Playbook | None = None
    playbook_text: str = ""
    title: str = ""
    host_ids: tuple[int, ...] = ()
    group_ids: tuple[int, ...] = ()
    timeout_seconds: int = field(default_factory=lambda: settings.RUN_TIMEOUT_SECONDS)
    forks: int = field(default_factory=lambda: settings.RUN_FORKS)
    schedule: Schedule | None = None
    planned_at: datetime | None = None


def request_run(*, actor: Any, spec: RunSpec) -> Run:
    """Write down a run for a worker to take; its hosts are those of this moment.

    Args:
        actor: the user for whom it runs.

    Raises:
        Forbidden: the user may not start runs.
        DomainError: nothing to run, no host that the user may run on, too many hosts.
    """
    hosts = judge(actor=actor, spec=spec)
    run = _run_of(actor, spec)
    if not hosts:
        raise DomainError(
            _("There is no host to run on."),
            _("Choose hosts or groups in which you may run work."),
            code="no_host",
        )
    with transaction.atomic():
        run.host_count = len(hosts)
        run.save()
        RunHost.objects.bulk_create(_frozen(run, host) for host in hosts)
        audit.record(actor, "run.request", run, changes=_words(run, hosts))
    return run


def judge(*, actor: Any, spec: RunSpec) -> list[Host]:
    """Give the hosts that the actor may run this on now, maybe none; a schedule is saved under the same rules.

    Raises:
        Forbidden: the user may not start runs, or not this one: by its module or playbook, its hosts or their credentials.
        DomainError: too many hosts.
    """
    if not actor.has_perm("tasks.add_run"):
        raise Forbidden(
            _("You may not start runs."),
            _("Ask an administrator for the permission tasks.add_run."),
        )
    _check_module(actor, spec)
    _check_playbook(actor, spec)
    hosts = resolve_hosts(actor, spec.host_ids, spec.group_ids)
    _check_hosts(hosts, spec)
    check_credentials(actor, hosts)
    return hosts


def _check_module(actor: Any, spec: RunSpec) -> None:
    """A module that reads or writes on the portal's machine is as good as a playbook: only for who may write those.

    Playbooks have no scope: only who holds the permission everywhere can write one.
    """
    name = spec.module.strip()
    if spec.kind != Kind.MODULE or not name:
        return
    trusted = everywhere(actor, "tasks.add_playbook")
    if is_control(name) or not (is_safe(name) or trusted):
        words = _("The module %(name)s may touch the portal's own machine.")
        raise Forbidden(
            words % {"name": name[:100]},
            _(
                "Use a module that works on the host alone, or ask somebody who may write playbooks."
            ),
            code="module_refused",
        )


def _check_playbook(actor: Any, spec: RunSpec) -> None:
    """A playbook is run by who may read it; a run that is repeated brings its own text."""
    chosen = spec.playbook if spec.kind == Kind.PLAYBOOK else None
    if chosen and not spec.playbook_text and not may(actor, "view", chosen):
        raise Forbidden(
            _("You may not run this playbook."),
            _("Ask for the permission to see it (tasks.view_playbook)."),
            code="playbook_refused",
        )


def _run_of(actor: Any, spec: RunSpec) -> Run:
    text = spec.playbook_text or (spec.playbook.content if spec.playbook else "")
    run = Run(
        kind=spec.kind,
        command=spec.command if spec.kind == Kind.COMMAND else "",
        module=spec.module if spec.kind == Kind.MODULE else "",
        arguments=spec.arguments if spec.kind == Kind.MODULE else "",
        playbook=spec.playbook if spec.kind == Kind.PLAYBOOK else None,
        playbook_text=text if spec.kind == Kind.PLAYBOOK else "",
        timeout_seconds=spec.timeout_seconds,
        forks=spec.forks,
        requested_by=actor,
        requested_by_name=actor.username,
        schedule=spec.schedule,
        planned_at=spec.planned_at,
    )
    run.title = spec.title[:200]
    check_work(run, has_text=bool(run.playbook_text))
    run.title = run.title or run.what[:100]
    try:
        run.clean_fields(exclude=["title", "requested_by", "schedule", "playbook"])
    except ValidationError as error:
        fields = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        raise DomainError(
            _("Some fields are not right."), " ".join(fields.values()), fields=fields
        ) from error
    return run


MISSING: dict[str, tuple[str, Callable[[], str]]] = {
    Kind.COMMAND: ("command", lambda: _("Enter a command.")),
    Kind.MODULE: ("module", lambda: _("Enter the name of a module.")),
    Kind.PLAYBOOK: ("playbook", lambda: _("Choose a playbook.")),
}


def check_work(work: Run | Schedule, *, has_text: bool = False) -> None:
    """Raise DomainError where a kind of work lacks what it runs."""
    name, words = MISSING[work.kind]
    value = (
        has_text or getattr(work, "playbook", None)
        if name == "playbook"
        else getattr(work, name).strip()
    )
    if not value:
        raise DomainError(
            _("There is nothing to run."), words(), fields={name: words()}
        )


def _check_hosts(hosts: list[Host], spec: RunSpec) -> None:
    count = len(hosts)
    refused = set(spec.host_ids) - {host.pk for host in hosts}
    if refused:
        words = ngettext(
            "You may not run work on %(count)s of the chosen hosts.",
            "You may not run work on %(count)s of the chosen hosts.",
            len(refused),
        )
        raise Forbidden(
            words % {"count": len(refused)},
            _("Choose hosts of your own groups."),
            code="host_refused",
        )
    if count > settings.RUN_MAX_TARGETS:
        raise DomainError(
            _("%(count)s hosts are too many for one run.") % {"count": count},
            _("Choose at most %(most)s, or raise ADMINSET_RUN_MAX_TARGETS.")
            % {"most": settings.RUN_MAX_TARGETS},
            code="too_many_hosts",
        )


def check_credentials(actor: Any, hosts: list[Host]) -> None:
    """Let pass only who may use the credential of each host: running there means signing in with it.

    Raises:
        Forbidden: names hosts whose credential the actor may not use.
    """
    needed = {host.credential_id for host in hosts if host.credential_id}
    usable = Credential.objects.visible_to(actor, "use").filter(pk__in=needed)
    barred = needed - set(usable.values_list("pk", flat=True))
    names = [host.hostname for host in hosts if host.credential_id in barred]
    if names:
        listed = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        raise Forbidden(
            _("You may not use the credential of %(hosts)s.") % {"hosts": listed},
            _("Ask for the permission to use it (cmdb.use_credential)."),
            code="credential_refused",
        )


def _frozen(run: Run, host: Host) -> RunHost:
    return RunHost(
        run=run, host=host, host_name=host.hostname, address=host.address or ""
    )


def _words(run: Run, hosts: list[Host]) -> list[audit.Change]:
    # The names stay in the line: nobody can alter the trail, as the rows of the run could be. Who reads a run's history
    # with a scope sees the names of the own hosts only (adminset/crud/history.py takes the others out).
    names = [host.hostname for host in hosts[:NAMES_IN_TRAIL]]
    more = len(hosts) - len(names)
    if more > 0:
        words = ngettext("and %(count)s more", "and %(count)s more", more)
        names.append(words % {"count": more})
    text = {
        Kind.COMMAND: run.command,
        Kind.MODULE: f"{run.module} {run.arguments}",
        Kind.PLAYBOOK: run.playbook_text,
    }[Kind(run.kind)]
    values: dict[str, Any] = {
        "kind": run.kind,
        "what": text[:4000],
        "hosts": names,
        "schedule": str(run.schedule or ""),
    }
    return [
        {"field": name, "old": None, "new": value}
        for name, value in values.items()
        if value
    ]


def repeat_run(*, actor: Any, run: Run, failed_only: bool = False) -> Run:
    """Ask for the same once more, on the same hosts or on those where it did not end well.

    Raises:
        DomainError: as request_run; also when no host is left.
    """
    rows = RunHost.objects.visible_to(actor).filter(run=run, host__isnull=False)
    if failed_only:
        rows = rows.exclude(status=RunHost.Status.OK)
    spec = RunSpec(
        kind=run.kind,
        command=run.command,
        module=run.module,
        arguments=run.arguments,
        playbook=run.playbook,
        playbook_text=run.playbook_text,
        title=run.title,
        host_ids=tuple(rows.values_list("host_id", flat=True)),
        timeout_seconds=run.timeout_seconds,
        forks=run.forks,
    )
    return request_run(actor=actor, spec=spec)
