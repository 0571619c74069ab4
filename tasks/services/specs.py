"""What a run is asked for, and how it goes into rows of work and comes out of them."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from tasks.models import Playbook, Role, Schedule, Script, TaskModule, Version, Work

Kind = Work.Kind
PLAIN = tuple(name for name in Work.FIELDS if name != "sealed")


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """What to run, and on which hosts and groups (ids of cmdb's Host and HostGroup); the fields are those of Work.

    `playbook_text` is for repeating a run whose playbook has changed since; else the text of `version`, or of the newest
    version that may run, is taken; so are `role_versions`. `secret_answers` are opened secrets: a module's answers and variables that nobody may see.
    """

    kind: str = Kind.COMMAND
    command: str = ""
    module: str = ""
    arguments: str = ""
    language: str = Work.Language.SHELL
    script_text: str = ""
    script_arguments: str = ""
    script: Script | None = None
    playbook: Playbook | None = None
    role: Role | None = None
    version: Version | None = None
    playbook_text: str = ""
    role_versions: dict[str, int] = field(default_factory=dict)
    distribution: list[dict[str, Any]] = field(default_factory=list)
    task_module: TaskModule | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    secret_answers: dict[str, str] = field(default_factory=dict, repr=False)
    variables: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    host_ids: tuple[int, ...] = ()
    group_ids: tuple[int, ...] = ()
    host_filter: str = ""
    forks: int = field(default_factory=lambda: settings.RUN_FORKS)
    batches: str = ""
    pause_after: str = Work.PauseAfter.NEVER
    stop_percent: int | None = None
    together: str = Work.Together.ALLOW
    repeatable: bool = False
    timeout_seconds: int = field(default_factory=lambda: settings.RUN_TIMEOUT_SECONDS)
    connect_timeout_seconds: int | None = None
    idle_timeout_seconds: int | None = None
    batch_timeout_seconds: int | None = None
    run_timeout_seconds: int | None = None
    schedule: Schedule | None = None
    planned_at: datetime | None = None
    not_before: datetime | None = None


def spec_of(work: Work, **wanted: Any) -> RunSpec:
    """Give what a row of work (a run, a schedule, a template, a step) asks for; its secrets are opened.

    Args:
        wanted: what the row does not say, such as host_ids and title; it also overrides what it says.

    Raises:
        DomainError: its secrets do not open.
    """
    values = {name: getattr(work, name) for name in PLAIN}
    return RunSpec(**values | {"secret_answers": opened(work)} | wanted)


def opened(work: Work) -> dict[str, str]:
    """Open the secret answers of a row of work.

    Raises:
        DomainError: they do not open.
    """
    sealed: Any = work.sealed
    if not sealed:
        return {}
    # A row that was not saved yet holds the plain text.
    text = sealed if isinstance(sealed, str) else sealed.reveal()
    return dict(json.loads(text))


def fill(work: Work, spec: RunSpec) -> Work:
    """Write what a run is asked for into a row of work, unsaved; its secrets are sealed when it is saved."""
    for name in PLAIN:
        setattr(work, name, getattr(spec, name))
    answers = spec.secret_answers
    work.sealed = json.dumps(answers) if answers else None  # type: ignore[assignment]
    return work
