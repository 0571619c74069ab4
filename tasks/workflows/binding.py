"""What the approval of a step is bound to: the definition, what earlier steps handed on, and what each later step would run where."""

import shlex
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from adminset.crypto import Secret
from adminset.errors import DomainError
from cmdb.models import Host
from tasks.approvals.seals import WAY, seal
from tasks.models import WorkflowRun, WorkflowStep, WorkflowStepRun
from tasks.selectors import resolve_hosts
from tasks.services.freezing import freeze, of_its_kind
from tasks.services.judging import files_of
from tasks.services.specs import RunSpec
from tasks.taskmodules import definitions
from tasks.taskmodules.resolving import definition_of, of_library, resolve
from tasks.workflows.definition import step_of
from tasks.workflows.graph import graph_of
from tasks.workflows.starting import spec_for

Does = WorkflowStep.Does
Kind = WorkflowStep.Kind
EARLIER = "values:"
# Fields of what runs that are bound as they are; of the library's items it is the version, of a task module its text.
PLAIN = (
    *(
        name
        for name in WorkflowStep.FIELDS
        if name not in ("sealed", "script", "playbook", "role", "task_module")
    ),
    "secret_answers",
    "playbook_text",
    "role_versions",
)


def later_work(run: WorkflowRun, key: str) -> list[str]:
    """Name the steps with work that may come after one, in their order."""
    after = graph_of(run.definition).after(key)
    return [
        step["key"]
        for step in run.definition["steps"]
        if step["key"] in after and step["does"] in (Does.WORK, Does.TEMPLATE)
    ]


def seals_of(
    step: WorkflowStepRun, known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Hash all that an approval of a step is for.

    Args:
        known: the seals that it was asked for with; without them it is asked for now.
    """
    run = step.workflow_run
    earlier = seals_before(step, known)
    settled = keys_of(earlier)
    return earlier | {
        f"step:{key}": fingerprint(run, key, settled)
        for key in later_work(run, step.key)
    }


def seals_before(
    step: WorkflowStepRun, known: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Hash the definition with its secrets, and what the steps handed on that had ended when the approval was asked for.

    Others still go on where one of several ways is enough. One that runs again is another attempt: its values and hosts are others.
    """
    run = step.workflow_run
    before = graph_of(run.definition).before(step.key)
    rows = run.steps.filter(key__in=before)
    if known is None:
        rows = rows.exclude(status__in=WorkflowStepRun.OPEN)
    else:
        rows = rows.filter(key__in=keys_of(known))
    secret = run.sealed.reveal() if isinstance(run.sealed, Secret) else ""
    return {
        "definition": seal([run.definition, secret, run.requested_by_id]),
        "variables": seal(run.variables),
    } | {
        f"{EARLIER}{row.key}": seal([row.attempt, row.run_id, row.values])
        for row in rows
    }


def keys_of(seals: Mapping[str, str]) -> set[str]:
    """Name the earlier steps that seals are about: what they handed on is known, their hosts too."""
    return {name.removeprefix(EARLIER) for name in seals if name.startswith(EARLIER)}


def fingerprint(run: WorkflowRun, key: str, settled: Collection[str]) -> str:
    """Hash what a step would run if it began now: hosts, texts and versions, variables, answers, options.

    Args:
        settled: keys of the earlier steps whose hosts are known; those of others are bound as that reference.
    """
    spec = spec_or_error(run, key)
    if isinstance(spec, DomainError):
        return seal(["refused", spec.code])
    hosts = {host.pk for host in hosts_of(run, known_places(run, key, spec, settled))}
    rows = Host.objects.filter(pk__in=hosts).order_by("pk")
    places = [list(row) for row in rows.values_list("pk", "address", *WAY)]
    frozen = step_of(run, key)
    where = [places, frozen["hosts_from"], frozen["hosts_which"]]
    made, error = made_of(run, spec)
    refused = error.code if error else ""
    return seal([where, _told(spec), refused, _told(made)])


def known_places(
    run: WorkflowRun, key: str, spec: RunSpec, settled: Collection[str]
) -> RunSpec:
    """Leave out hosts of a step whose hosts are not known yet."""
    source = step_of(run, key)["hosts_from"]
    return replace(spec, host_ids=()) if source and source not in settled else spec


def spec_or_error(run: WorkflowRun, key: str) -> RunSpec | DomainError:
    """Give what a step asks for, or why it cannot ask."""
    try:
        return spec_for(run, key)
    except DomainError as error:
        return error


def hosts_of(run: WorkflowRun, spec: RunSpec) -> list[Host]:
    """Give the hosts that a step would run on now."""
    targets = (spec.host_ids, spec.group_ids, spec.host_filter)
    return resolve_hosts(run.requested_by, *targets)


def made_of(run: WorkflowRun, spec: RunSpec) -> tuple[RunSpec, DomainError | None]:
    """Give what would run with the texts and versions of this moment; where it cannot run so (yet), as far as it is known, and why."""
    try:
        return _frozen(resolve(spec, run.requested_by)), None
    except DomainError as error:
        problem = error
    try:
        return _without_answers(spec), problem
    except DomainError:
        return spec, problem


def _frozen(spec: RunSpec) -> RunSpec:
    made = of_its_kind(spec)
    if made.kind == Kind.FILES:
        files_of(made)
    return freeze(made)


def _without_answers(spec: RunSpec) -> RunSpec:
    """Give what a task module runs whatever is answered: the answers may wait for values of earlier steps."""
    if spec.kind != Kind.TASK_MODULE or spec.task_module is None:
        return spec
    action = definition_of(spec.task_module).action
    if isinstance(action, definitions.Command):
        line = action.text or shlex.join(action.words)
        return replace(spec, kind=Kind.COMMAND, command=line)
    if isinstance(action, definitions.Script):
        made = replace(spec, kind=Kind.SCRIPT, language=action.language)
        return replace(made, script_text=action.text)
    made = replace(spec, kind=Kind.PLAYBOOK, playbook_text=action.text)
    if not action.text:
        made = replace(made, playbook=of_library(action.library))
    return _frozen(made)


def _told(spec: RunSpec) -> dict[str, Any]:
    module = spec.task_module
    return {name: getattr(spec, name) for name in PLAIN} | {
        "version": spec.version.sha256 if spec.version else "",
        "task_module": module.sha256 if module else "",
    }
