"""Asking for a run: who, what, on which hosts; frozen as it is asked for."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import DomainError
from cmdb.models import Host
from tasks.ansible_options import without_limit
from tasks.approvals.asking import ask_for_run
from tasks.models import Run, RunHost, Work
from tasks.services import batches
from tasks.services.freezing import Sameness, freeze, of_its_kind
from tasks.services.judging import (
    check_alone,
    check_credentials,
    check_work,
    judge,
    judge_resolved,
)
from tasks.services.placing import leave_out, named, place
from tasks.services.shape import by_limit
from tasks.services.specs import RunSpec, fill, spec_of
from tasks.taskmodules.resolving import ensure_module_usable, resolve

__all__ = [
    "RunSpec",
    "check_credentials",
    "check_work",
    "judge",
    "repeat_run",
    "request_run",
]

Kind = Work.Kind
Selection = Iterable[str]
# Words for hosts of a run that are to be tried again; "failed" takes in all that did not end well in any other way.
CHOICES: dict[str, tuple[str, ...]] = {
    "failed": ("failed",),
    "unreachable": ("unreachable",),
    "not_started": ("not_started", "skipped", "cancelled"),
    "unknown": ("unknown",),
    "timed_out": ("timed_out",),
}


def request_run(*, actor: Any, spec: RunSpec) -> Run:
    """Write down a run for workers to take; its hosts, texts and versions are those of this moment.

    Args:
        actor: the user for whom it runs.

    Raises:
        Forbidden: the user may not start runs, or not this one.
        Conflict: the same is going on, and it wants to be alone.
        DomainError: nothing to run, no host that the user may run on, too many hosts, batches that cannot be read.
    """
    if spec.kind not in Kind.values:
        raise DomainError(_("There is no such kind of work."), code="no_such_kind")
    by_module = spec.kind == Kind.TASK_MODULE
    return _request(actor, resolve(spec, actor), by_module)


def _request(actor: Any, resolved: RunSpec, by_module: bool) -> Run:
    spec = of_its_kind(resolved)
    hosts = judge_resolved(actor, spec, by_module)
    frozen = freeze(spec)
    run = _run_of(actor, frozen)
    if not hosts:
        raise DomainError(
            _("There is no host to run on."),
            _("Choose hosts or groups in which you may run work."),
            code="no_host",
        )
    hosts, outside = by_limit(frozen, hosts)
    if run.batches:
        hosts = batches.critical_last(hosts)
    placed = batches.assign(run.batches, hosts)
    run.host_count = len(hosts)
    run.batch_count = placed[-1][1] + 1
    run.same_key = Sameness(frozen, hosts).key()
    with transaction.atomic():
        check_alone(run)
        run.save()
        place(run, placed)
        leave_out(run, outside)
        audit.record(actor, "run.request", run, changes=_words(run, hosts))
        # Under a rule it waits for the word of others: no worker begins before that.
        ask_for_run(run=run)
    return run


def _run_of(actor: Any, spec: RunSpec) -> Run:
    run = Run(
        version=spec.version,
        playbook_text=spec.playbook_text,
        role_versions=spec.role_versions,
        requested_by=actor,
        requested_by_name=actor.username,
        schedule=spec.schedule,
        planned_at=spec.planned_at,
        not_before=spec.not_before,
    )
    fill(run, spec)
    run.title = spec.title[:200]
    check_work(run, has_text=bool(run.playbook_text))
    run.title = run.title or run.what[:100]
    left = ["title", "requested_by", "schedule", "version", "script", "playbook"]
    try:
        run.clean_fields(
            exclude=[*left, "role", "task_module", "sealed", "script_text"]
        )
    except ValidationError as error:
        fields = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        raise DomainError(
            _("Some fields are not right."), " ".join(fields.values()), fields=fields
        ) from error
    return run


def _words(run: Run, hosts: list[Host]) -> list[audit.Change]:
    text = {
        Kind.COMMAND: run.command,
        Kind.SCRIPT: run.script_text,
        Kind.MODULE: f"{run.module} {run.arguments}",
        Kind.PLAYBOOK: run.playbook_text,
        Kind.ROLE: run.title,
        Kind.FILES: run.what,
    }[Kind(run.kind)]
    values: dict[str, Any] = {
        "kind": run.kind,
        "what": text[:4000],
        "version": str(run.version or ""),
        "task_module": str(run.task_module or ""),
        "batches": run.batches,
        "hosts": named(hosts),
        "schedule": str(run.schedule or ""),
    }
    return [
        {"field": name, "old": None, "new": value}
        for name, value in values.items()
        if value
    ]


def repeat_run(
    *,
    actor: Any,
    run: Run,
    failed_only: bool = False,
    selection: Selection = ("all",),
) -> Run:
    """Ask for the same once more: with the texts and versions that it had, on its hosts or some of them.

    Args:
        failed_only: on all hosts where it did not end well.
        selection: "all", or some of failed, unreachable, not_started, unknown, timed_out.

    Raises:
        Forbidden: as request_run; also where the task module that made it is off, or not for the actor.
        DomainError: as request_run; also when no host is left, or somebody else gave its secret answers.
    """
    ensure_by_hand(run)
    if run.task_module is not None:
        ensure_module_usable(run.task_module, actor)
    _ensure_own_secrets(actor, run)
    spec = spec_of(
        run,
        title=run.title,
        version=run.version,
        playbook_text=run.playbook_text,
        role_versions=run.role_versions,
        options=without_limit(run.options),
        host_ids=_hosts_again(actor, run, failed_only, selection),
    )
    return _request(actor, spec, run.task_module is not None)


def ensure_by_hand(run: Run) -> None:
    """Let pass what people may ask for again, with or without changes; not a leg, which belongs to something greater."""
    if run.is_leg:
        raise DomainError(
            _("%(run)s is a part of a delivery, and cannot be run again alone.")
            % {"run": run},
            _("Ask for the delivery again, on its own page."),
            code="leg",
        )


def _ensure_own_secrets(actor: Any, run: Run) -> None:
    """Secret answers go along only for whom the run was started with them."""
    if run.sealed and run.requested_by_id != actor.pk:
        raise DomainError(
            _("%(run)s has secret answers, and %(user)s started it, not you.")
            % {"run": run, "user": run.requested_by_name},
            _("Start it anew, or again with changes, and type them yourself."),
            code="secrets_of_another",
        )


def _hosts_again(
    actor: Any, run: Run, failed_only: bool, selection: Selection
) -> tuple[int, ...]:
    # Those within the limit: it may name others than are to be tried again.
    seen = RunHost.objects.visible_to(actor).filter(run=run, host__isnull=False)
    rows = seen.meant()
    if failed_only:
        rows = rows.exclude(status=RunHost.Status.OK)
    elif "all" not in (chosen := set(selection)):
        if unknown := chosen - set(CHOICES):
            words = _("There is no such choice of hosts: %(names)s.")
            raise DomainError(words % {"names": ", ".join(sorted(unknown))[:100]})
        wanted = [status for name in chosen for status in CHOICES[name]]
        rows = rows.filter(status__in=wanted)
    return tuple(rows.values_list("host_id", flat=True))
