"""supervisord as a child: its configuration, its start and stop, and questions over its Unix socket."""

import shlex
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from adminset.launch import leash, processes
from adminset.launch.config import ROOT, Place
from adminset.launch.errors import LaunchError
from adminset.launch.files import tail, write_private
from adminset.launch.programs import Program

# Stores get 3 s after the portal's 5 s, which leaves one for the last sweep.
STOP_SECONDS = 9.0
START_SECONDS = 10.0
PRIORITIES = {"stores": 10, "portal": 20}
LEASH = [sys.executable, "-I", "-S", str(leash.__file__)]


@dataclass(frozen=True)
class State:
    """How one program is doing, as supervisord tells."""

    name: str
    group: str
    word: str
    pid: int
    why: str


def render(place: Place, programs: list[Program]) -> str:
    """Write supervisord's configuration."""
    run = place.run_dir
    # A relative socket: a path of more than 107 characters cannot be bound.
    sections = [
        _section("unix_http_server", file="supervisor.sock", chmod="0700"),
        _section(
            "supervisord",
            nodaemon="true",
            silent="true",
            logfile=place.log_dir / "supervisord.log",
            logfile_maxbytes="5MB",
            logfile_backups=2,
            pidfile=run / "supervisord.pid",
            childlogdir=place.log_dir,
            minfds=1024,
        ),
        _section(
            "rpcinterface:supervisor",
            **{
                "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
            },
        ),
        _section("supervisorctl", serverurl=f"unix://{run / 'supervisor.sock'}"),
    ]
    sections += [_program(place, program) for program in programs]
    for group, members in groupby(programs, key=lambda program: program.group):
        names = ",".join(member.name for member in members)
        sections.append(
            _section(f"group:{group}", programs=names, priority=PRIORITIES[group])
        )
    return "\n".join(sections)


def _section(title: str, **lines: object) -> str:
    body = "".join(
        f"{name} = {_escaped(str(value))}\n" for name, value in lines.items()
    )
    return f"[{title}]\n{body}"


def _escaped(value: str) -> str:
    return value.replace("%", "%%")


def _program(place: Place, program: Program) -> str:
    return _section(
        f"program:{program.name}",
        command=shlex.join([*LEASH, *program.command]),
        directory=place.root,
        autostart="false",
        autorestart="true",
        startsecs=2,
        startretries=3,
        stopwaitsecs=program.stop_seconds,
        killasgroup="true",
        redirect_stderr="true",
        stdout_logfile=place.log_dir / f"{program.name}.log",
        stdout_logfile_maxbytes="10MB",
        stdout_logfile_backups=3,
    )


class Supervisor:
    """The running supervisord of one portal."""

    def __init__(self, place: Place, programs: list[Program]) -> None:
        self.place = place
        self.programs = programs
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, environment: Mapping[str, str]) -> None:
        """Start supervisord with no program running yet.

        Raises:
            LaunchError: it does not come up.
        """
        configuration = self.place.run_dir / "supervisord.conf"
        write_private(configuration, render(self.place, self.programs))
        (self.place.run_dir / "supervisor.sock").unlink(missing_ok=True)
        command = [sys.executable, "-m", "adminset.launch.keeper", "-n", "-c"]
        with (self.place.log_dir / "supervisord.out").open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [*LEASH, *command, str(configuration)],
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A Ctrl-C goes to the launcher, which stops all in order.
                start_new_session=True,
            )
        self._wait_for_socket()

    def _wait_for_socket(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.alive:
            try:
                self._rpc.supervisor.getState()
            except (OSError, xmlrpc.client.Error):
                time.sleep(0.05)
            else:
                return
        words = tail(self.place.log_dir / "supervisord.out", 3)
        raise LaunchError(f"The process manager supervisord did not start: {words}")

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def _rpc(self) -> Any:
        socket = self.place.run_dir / "supervisor.sock"
        transport = SupervisorTransport(None, None, f"unix://{socket_name(socket)}")
        return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)

    def launch(self, *names: str) -> None:
        """Start programs at the same time and do not wait for them."""
        for program in self.programs:
            if program.name in names:
                self._rpc.supervisor.startProcess(program.full_name, False)

    def give_up(self, state: State) -> None:
        """Stop a program for good."""
        self._rpc.supervisor.stopProcess(f"{state.group}:{state.name}", False)

    def states(self) -> dict[str, State]:
        """Ask how all programs are doing; empty when supervisord is gone.

        Raises:
            ConnectionError: supervisord does not answer.
        """
        try:
            rows = self._rpc.supervisor.getAllProcessInfo()
        except (OSError, xmlrpc.client.Error) as error:
            raise ConnectionError("supervisord does not answer") from error
        return {
            row["name"]: State(
                row["name"], row["group"], row["statename"], row["pid"], row["spawnerr"]
            )
            for row in rows
        }

    def stop(self) -> None:
        """Stop all programs, portal first, then stores; kill what is left, wherever it went."""
        if self._process is not None and self.alive:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        processes.kill_all(str(self.place.data))


def socket_name(path: Path) -> str:
    """Shorten the socket's path where it is too long for the kernel: the launcher works in its folder."""
    return str(path) if len(str(path)) < 100 else path.name
