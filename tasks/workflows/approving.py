"""Approval within a workflow: what the approvers are shown of the steps to come, and what it is bound to."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from cmdb.models import Host
from tasks.approvals import asking
from tasks.approvals.deciding import DOORS, Door, close
from tasks.approvals.seals import differences, part_words
from tasks.approvals.showing import parts_of
from tasks.models import (
    Approval,
    ApprovalRule,
    WorkflowRun,
    WorkflowStep,
    WorkflowStepRun,
)
from tasks.workflows import binding
from tasks.workflows.definition import step_of
from tasks.workflows.graph import graph_of
from tasks.workflows.starting import filled

Does = WorkflowStep.Does
Kind = WorkflowStep.Kind
Which = WorkflowStep.Which


def ask_for_step(*, run: WorkflowRun, step: WorkflowStepRun) -> Approval:
    """Ask for the word on what comes after a step.

    Raises:
        DomainError: the step's rule is gone or off.
    """
    rule = ApprovalRule.objects.filter(pk=step_of(run, step.key)["rule"]).first()
    if rule is None or not rule.enabled:
        raise DomainError(
            _("The rule of this approval is gone or off, so nobody could decide.")
        )
    seals = binding.seals_of(step)
    settled = binding.keys_of(seals)
    hosts: dict[int, Host] = {}
    parts: list[tuple[str, str]] = []
    for key in binding.later_work(run, step.key):
        there = _hosts(run, key, settled)
        hosts |= {host.pk: host for host in there}
        parts += _shown(run, key, there, settled)
    found = Host.objects.filter(pk__in=hosts)
    subject = asking.Subject(
        kind=asking.STEP,
        object_id=step.pk,
        title=f"{run}: {step.title or step.key}",
        requested_by=run.requested_by,
        seals=seals,
        sentence=asking.radius(found),
        hosts=sorted(hosts.values(), key=lambda host: (host.hostname, host.pk)),
        parts=parts,
    )
    return asking.ask(rule=rule, subject=subject)


def _hosts(run: WorkflowRun, key: str, settled: set[str]) -> list[Host]:
    """Give the hosts that a step may run on; where it takes them from one that has not ended, all of that."""
    spec = binding.spec_or_error(run, key)
    if isinstance(spec, DomainError):
        return []
    known = binding.known_places(run, key, spec, settled)
    hosts = binding.hosts_of(run, known)
    if known is spec:
        return hosts
    source = step_of(run, key)["hosts_from"]
    going = run.steps.filter(key=source, run__isnull=False).values("run")
    if going.exists():
        return hosts + list(Host.objects.filter(run_hosts__run__in=going))
    return hosts + _hosts(run, source, settled)


def _shown(
    run: WorkflowRun, key: str, hosts: list[Host], settled: set[str]
) -> list[tuple[str, str]]:
    """Give a later step as an approver reads it: where it runs, why it cannot yet, and all that is known of what runs."""
    title = step_of(run, key)["title"] or key
    spec = binding.spec_or_error(run, key)
    if isinstance(spec, DomainError):
        return [(title, _words_of(spec))]
    later = ""
    try:
        spec = filled(run, spec)
    except DomainError:
        later = _("Some of its values come from steps that have not ended yet.")
    made, error = binding.made_of(run, spec)
    kind = Kind(spec.kind).label
    where = [f"{kind}: {_where(run, key, hosts, settled)}", later]
    if error and not later:
        where.append(_words_of(error))
    parts = [(f"{title}: {heading}", text) for heading, text in parts_of(made)]
    return [(title, "\n".join(filter(None, where))), *parts]


def _where(run: WorkflowRun, key: str, hosts: list[Host], settled: set[str]) -> str:
    frozen = step_of(run, key)
    source = frozen["hosts_from"]
    if source and source not in settled:
        words = _("hosts of the step %(key)s (%(which)s)")
        return words % {"key": source, "which": Which(frozen["hosts_which"]).label}
    names = [host.hostname for host in hosts]
    more = ", ..." if len(names) > asking.NAMES else ""
    return ", ".join(names[: asking.NAMES]) + more or _("no host")


def _words_of(error: DomainError) -> str:
    return f"{error.message} {error.hint}".strip()


def check_still_approved(run: WorkflowRun, key: str) -> None:
    """Let a step begin only as it was approved by the approval steps before it.

    Raises:
        DomainError: it is not what was approved any more; the approval is void from then on.
    """
    before = graph_of(run.definition).before(key)
    waited = run.steps.filter(
        key__in=before, does=Does.APPROVAL, status="ok", waived=False
    )
    for step in waited:
        approval = asking.approvals_of(asking.STEP, step.pk).first()
        if approval is None or approval.status != Approval.Status.APPROVED:
            raise DomainError(_("What was approved before it does not hold any more."))
        earlier = binding.seals_before(step, approval.seals)
        settled = binding.keys_of(earlier)
        now = earlier | {f"step:{key}": binding.fingerprint(run, key, settled)}
        changed = differences(_of_one(approval.seals, key), now)
        if changed:
            names = ", ".join(part_words(name) for name in changed)
            words = _(
                "It was approved otherwise: since then this changed: %(parts)s."
            ) % {"parts": names}
            close(approval=approval, status=Approval.Status.VOID, words=words)
            raise DomainError(
                words,
                _("Start the workflow anew, so that it is approved as it is now."),
                code="approval_void",
            )


def _of_one(seals: Mapping[str, str], key: str) -> dict[str, str]:
    """Give the seals without those of other later steps: each is looked at when it begins."""
    others = {name for name in seals if name.startswith("step:")} - {f"step:{key}"}
    return {name: value for name, value in seals.items() if name not in others}


def _seals(approval: Approval) -> dict[str, str] | None:
    step = (
        WorkflowStepRun.objects.select_related("workflow_run")
        .filter(pk=approval.object_id, status=WorkflowStepRun.Status.PAUSED)
        .first()
    )
    return binding.seals_of(step, approval.seals) if step is not None else None


def _nothing(approval: Approval) -> None:
    """A step that waits looks at its approval by itself (engine.py)."""


def join_doors() -> None:
    """Make steps of workflows known to the approvals; the room's apps.py calls it."""
    DOORS[asking.STEP] = Door(_seals, _nothing, _nothing)
