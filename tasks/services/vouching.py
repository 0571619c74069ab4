"""What starts by itself starts only what its owner vouched for: what others changed since runs in nobody's name.

A schedule or a web-hook keeps a hash of each thing that it needs (template, workflow, task module, what the library would
run of them), taken when its owner saves it or turns it on. At each start they are compared. What the owner changes is
vouched for thereby, where nothing of others was waiting; not what a token with limits writes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, Self, TypeVar

from django.apps import apps
from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from accounts.limits import is_limited
from adminset.errors import DomainError, Forbidden
from tasks.approvals.seals import differences, kept, seal
from tasks.library.choosing import role_versions, role_versions_of
from tasks.library_models import LibraryItem, Version
from tasks.models import (
    InHook,
    InHookDelivery,
    Playbook,
    Role,
    Schedule,
    StoredFile,
    TaskModule,
    Template,
    Work,
    Workflow,
    WorkflowRun,
)
from tasks.services.specs import PLAIN, opened
from tasks.taskmodules import definitions as d
from tasks.taskmodules.resolving import definition_of
from tasks.workflows.definition import freeze, secrets_of

Pieces = dict[str, str]
P = ParamSpec("P")
R = TypeVar("R")
NAMED = 3


class ChangedError(Forbidden):
    """What should start is not what its owner vouched for."""

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        """Name what changed."""
        return cls(
            _("This changed since it was saved or turned on: %(names)s.")
            % {"names": ", ".join(names)},
            _("Look at it, then turn it on again."),
            code="changed_since",
        )


# ---- Vouching and comparing


def vouch(row: Schedule | InHook) -> None:
    """Keep what a row needs as it is now: its owner has looked at it."""
    row.vouched = kept(pieces_of(_fresh(row)))
    type(row)._default_manager.filter(pk=row.pk).update(vouched=row.vouched)


def ensure_vouched(row: Schedule | InHook) -> None:
    """Let pass what is as its owner left it; call it behind what reads the texts that run, in the same transaction.

    A row from before there were hashes gets them at its first start.

    Raises:
        ChangedError: somebody else changed what it needs; says what.
    """
    now = _fresh(row)
    if not now.vouched:
        vouch(row)
        return
    changed = differences(now.vouched, pieces_of(now))
    if changed:
        raise ChangedError.of(_name_of(key) for key in changed[:NAMED])


def ensure_run_vouched(run: WorkflowRun) -> None:
    """Let a step of a workflow begin, where a web-hook started it and it still runs in that owner's name; as ensure_vouched.

    Who takes it over by hand has looked at it.

    Raises:
        ChangedError: as ensure_vouched, or somebody else saved the web-hook.
    """
    started = InHookDelivery.objects.filter(
        workflow_run=run, verdict=InHookDelivery.Verdict.STARTED
    )
    by_itself = started.filter(run_as=run.requested_by).select_related("hook").first()
    if by_itself is None:
        return
    if by_itself.hook.run_as_id != by_itself.run_as_id:
        raise ChangedError(
            _("Somebody else saved the web-hook %(name)s since it started this.")
            % {"name": by_itself.hook},
            _("Start the workflow anew."),
            code="changed_since",
        )
    ensure_vouched(by_itself.hook)


def carries_own(service: Callable[P, R]) -> Callable[P, R]:
    """Let a service (keyword `actor`, inside its transaction) carry along the hashes of what the actor's own rows start."""

    @functools.wraps(service)
    def carrying(*args: P.args, **kwargs: P.kwargs) -> R:
        rows = _as_left_by(kwargs["actor"])
        done = service(*args, **kwargs)
        for row in rows:
            vouch(row)
        return done

    return carrying


def _as_left_by(actor: Any) -> list[Schedule | InHook]:
    """Give what starts by itself as the actor, and is as the actor vouched for it."""
    if not isinstance(actor, get_user_model()) or is_limited(actor):
        return []
    rows: list[Schedule | InHook] = [
        *Schedule.objects.filter(run_as=actor, enabled=True),
        *InHook.objects.filter(run_as=actor, active=True),
    ]
    return [
        row
        for row in rows
        if row.vouched and not differences(row.vouched, pieces_of(row))
    ]


def _fresh(row: Schedule | InHook) -> Any:
    """Read a row again, and with it what it leads to."""
    return type(row)._default_manager.get(pk=row.pk)


def _name_of(key: str) -> str:
    kind, _colon, pk = key.partition(":")
    model = apps.get_model("tasks", kind)
    row = model._default_manager.filter(pk=pk).first()
    named = str(row) if row is not None else _("deleted since")
    return f"{model._meta.verbose_name} {named}"


# ---- What a row needs


def pieces_of(row: Schedule | InHook) -> Pieces:
    """Hash each thing that a row needs to start, apart from its own fields: those only its owner saves."""
    found: Pieces = {}
    if isinstance(row, Schedule):
        _add_work(found, row)
    elif isinstance(row.starts, Workflow):
        _add_workflow(found, row.starts)
    elif isinstance(row.starts, Template):
        _add_template(found, row.starts)
    elif isinstance(row.starts, TaskModule):
        _add_module(found, row.starts)
    return found


def _key(row: Any) -> str:
    return f"{row._meta.model_name}:{row.pk}"


def _add_workflow(found: Pieces, workflow: Workflow) -> None:
    secret = _opened(secrets_of, workflow)
    found[_key(workflow)] = seal([freeze(workflow), secret, workflow.variables])
    for step in workflow.steps.all():
        _add_work(found, step)
        if step.template is not None:
            _add_template(found, step.template)


def _add_template(found: Pieces, template: Template) -> None:
    fields: list[Any] = [Template._meta.get_field(name) for name in PLAIN]
    found[_key(template)] = seal(
        [
            [getattr(template, field.attname) for field in fields],
            _opened(opened, template),
            sorted(template.hosts.values_list("pk", flat=True)),
            sorted(template.groups.values_list("pk", flat=True)),
            template.host_filter,
            template.ask,
        ]
    )
    _add_work(found, template)


def _opened(opening: Callable[[Any], Any], row: Any) -> Any:
    try:
        return opening(row)
    except DomainError as error:
        # A key that is away: it cannot start now, and is what it was when the key is back.
        return ["refused", error.code]


def _add_work(found: Pieces, work: Work) -> None:
    named = [one.get("file") for one in work.distribution if isinstance(one, dict)]
    keys = [key for key in named if isinstance(key, int)]
    brought = StoredFile.objects.filter(pk__in=keys)
    for item in (work.script, work.playbook, work.role, *brought):
        if item is not None:
            _add_item(found, item)
    if work.task_module is not None:
        _add_module(found, work.task_module)


def _add_module(found: Pieces, module: TaskModule) -> None:
    """Add a module. One of a file changes with the portal: whoever writes on its machine is trusted as the portal itself."""
    found[_key(module)] = "" if module.file else seal(module.definition)
    try:
        action = definition_of(module).action
    except DomainError:
        return
    if not isinstance(action, d.Playbook):
        return
    if action.text:
        _add_roles(found, _key(module), role_versions, action.text)
    elif playbook := Playbook.objects.filter(name=action.library).first():
        _add_item(found, playbook)


def _add_item(found: Pieces, item: LibraryItem) -> None:
    """Add what would run of an item, and the library's roles that it names."""
    approved = item.versions.filter(state=Version.State.APPROVED)  # type: ignore[attr-defined]
    version = approved.order_by("-number").first()
    text = version.text if version else getattr(item, "content", "")
    runs = version.sha256 if version else text
    found[_key(item)] = seal([runs, getattr(item, "language", "")])
    if isinstance(item, Playbook):
        _add_roles(found, _key(item), role_versions, text)
    elif isinstance(item, Role) and version is not None:
        _add_roles(found, _key(item), role_versions_of, version.files)


def _add_roles(
    found: Pieces, key: str, followed: Callable[[Any], dict[str, Version]], named: Any
) -> None:
    try:
        versions = followed(named)
    except DomainError as error:
        # One of them may not run, so nothing does; when it may again, somebody decided that.
        found[key] = seal([found[key], error.code])
        return
    for version in versions.values():
        found[f"role:{version.role_id}"] = seal([version.sha256, ""])
