"""Commands and scripts as work of the SSH lane: their text, their arguments, the values that reach them."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.services.jobs import Job
from tasks.services.ssh_work import Work
from tasks.ssh.commands import run_command, run_script
from tasks.ssh.lines import Script
from tasks.ssh.terms import Terms
from tasks.targets import CommandResult, Target

PREFIX = "ADMINSET_"
NO_LETTER = re.compile(r"[^A-Z0-9_]")


def command_work(job: Job) -> Work:
    """Give the work of a run of kind command. Its answers stand in the command already; its variables are in its environment."""
    secrets = job.secret_answers
    values = environment_of({**job.run.variables, **secrets})
    command = job.run.command

    def do(target: Target, terms: Terms) -> CommandResult:
        return run_command(target, command, terms, values)

    return Work(do, list(secrets.values()))


def script_work(job: Job) -> Work:
    """Give the work of a run of kind script: answers and variables, the secret ones too, are ADMINSET_<NAME> in its environment.

    Raises:
        DomainError: its arguments cannot be told apart.
    """
    run, secrets = job.run, job.secret_answers
    values = environment_of({**run.variables, **run.answers, **secrets})
    arguments = split_arguments(run.script_arguments)
    script = Script(run.script_text, run.language, arguments, values)

    def do(target: Target, terms: Terms) -> CommandResult:
        return run_script(target, script, terms)

    return Work(do, list(secrets.values()))


def split_arguments(text: str) -> list[str]:
    """Take the arguments of a script apart as a shell would, but expand nothing.

    Raises:
        DomainError: a quote is not closed.
    """
    try:
        return shlex.split(text)
    except ValueError as error:
        raise DomainError(
            _("The arguments of the script cannot be told apart."),
            _("Close each quote, or write a backslash before it."),
            code="wrong_arguments",
        ) from error


def environment_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Give values as variables of an environment: `disk size` becomes ADMINSET_DISK_SIZE, a list a line for each, a tick true or false."""
    return {environment_name(name): _text(value) for name, value in values.items()}


def environment_name(name: object) -> str:
    """Give the name under which a value stands in the environment."""
    return PREFIX + NO_LETTER.sub("_", str(name).upper())


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
