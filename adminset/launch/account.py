"""Runs `manage.py prepare_portal`: migrations, the first administrator, the enrolment of this machine's agent."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from adminset.launch.config import Place
from adminset.launch.errors import LaunchError
from adminset.launch.files import tail
from adminset.launch.programs import agent_folder

EXCEPTION = re.compile(
    r"^([A-Za-z_]\w*\.)*[A-Z]\w*(Error|Exception|Configured|LaunchError): "
)


@dataclass(frozen=True)
class Account:
    """Who may sign in first, and the token by which the agent of this machine enrols."""

    username: str
    password: str | None
    enrolment_token: str | None

    def __repr__(self) -> str:
        return f"Account({self.username!r})"

    def sign_in(self, was_chosen: bool) -> str:
        """Say how to sign in; a password is told at the first start only."""
        if was_chosen:
            return f"{self.username} / (the password you set)"
        return (
            f"{self.username} / {self.password or '(the password of the first start)'}"
        )


def prepare(place: Place, environment: Mapping[str, str]) -> Account:
    """Bring the database up to date and read what the command tells.

    Raises:
        LaunchError: a setting or the database cannot be used; the sentence is the command's own.
    """
    command = [str(place.python), "manage.py", "prepare_portal"]
    if not (agent_folder(place) / "credential").exists():
        command.append("--enrolment-token")
    password = place.environ.get("ADMINSET_ADMIN_PASSWORD")
    extra = {"ADMINSET_ADMIN_PASSWORD": password} if password else {}
    done = run(place, command, {**environment, **extra})
    try:
        told = json.loads(done.splitlines()[-1])
        return Account(told["username"], told["password"], told["enrolment_token"])
    except (IndexError, ValueError, KeyError, TypeError) as error:
        raise LaunchError(
            "manage.py prepare_portal did not say who may sign in: put back accounts/management/ of this release."
        ) from error


def enrol(place: Place, environment: Mapping[str, str], token: str) -> None:
    """Enrol the agent of this machine; the token travels by environment, out of sight of `ps`."""
    command = [str(place.python), "-m", "agent", "enroll", "--server", place.url]
    run(place, command, {**environment, "ADMINSET_ENROLL_TOKEN": token})


def run(place: Place, command: list[str], environment: Mapping[str, str]) -> str:
    """Run a command of the portal; its standard error goes to var/log/prepare.log, its output nowhere."""
    log = place.log_dir / "prepare.log"
    with log.open("ab") as errors:
        done = subprocess.run(  # noqa: S603 - our own command
            command,
            cwd=place.root,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            check=False,
        )
    if done.returncode:
        name = " ".join(command[1:4])
        raise LaunchError(f"{sentence(tail(log, 1)) or name + ' failed.'} (log: {log})")
    return done.stdout.decode(errors="replace")


def sentence(last_line: str) -> str:
    """Strip the exception's name from the last line of a traceback."""
    return EXCEPTION.sub("", last_line.strip())
