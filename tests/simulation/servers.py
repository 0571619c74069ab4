"""Servers for simulated fleets: web processes and a store alone, or the whole portal as `make up` starts it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests import services, template
from tests.e2e.conftest import READY_SECONDS, Portal, environment, wait_until
from tests.mongo import MongoServer

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED, NULL = "adminset.asgi:application", "tests.simulation.null_store:application"

# Makes hosts with agents and prints [host id, token] of each; the secrets go through no command line.
MAKE_AGENTS = """
import json, sys
from adminset.crypto import digest
from cmdb.models import Agent, Host
from secrets import token_urlsafe
Host.objects.bulk_create([Host(hostname=f"sim{n:05}", address=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(COUNT)], batch_size=500)
hosts = list(Host.objects.filter(hostname__startswith="sim").order_by("hostname"))
secrets = [token_urlsafe(32) for host in hosts]
agents = [Agent(host=host, boot_id="b", secret_hash=digest(secret), identity={"machine_id": f"{host.pk:064x}"}) for host, secret in zip(hosts, secrets)]
Agent.objects.bulk_create(agents, batch_size=500)
json.dump([[agent.host_id, f"{agent.public_id}.{secret}"] for agent, secret in zip(agents, secrets)], sys.stdout)
"""


def serve(
    application: str, port: int, told: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Start a web process, as the launcher does."""
    words = ["-m", "uvicorn", application, "--port", str(port), "--lifespan", "off"]
    quiet = ["--no-access-log", "--log-level", "warning"]
    command = [sys.executable, *words, *quiet]
    return subprocess.Popen(command, cwd=ROOT, env=dict(told))


@dataclass
class Server:
    """Something that takes reports.

    Attributes:
        ports: where it takes them.
        known: (host id, token) of its agents.
        mongo_url: its store.
        processes: by name, those whose memory and CPU time are watched.
    """

    ports: list[int]
    known: list[tuple[int, str]]
    mongo_url: str
    processes: dict[str, psutil.Process] = field(default_factory=dict)


class BareServer:
    """Web processes by their roles and a store, without workers; each may be killed and started again.

    Args:
        roles: one process each: "portal" or "ingest".
        store: False for one that takes everything and keeps nothing.
    """

    def __init__(
        self,
        folder: Path,
        roles: tuple[str, ...] = ("portal",),
        *,
        store: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self.roles = folder, roles
        self.ports = {role: services.free_port() for role in roles}
        self.mongo = MongoServer(folder / "mongo") if store else None
        self.webs: dict[str, subprocess.Popen[bytes]] = {}
        self._settings = dict(settings or {})

    @property
    def mongo_url(self) -> str:
        """Where its store is."""
        return self.mongo.url if self.mongo else "mongodb://127.0.0.1:1/"

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are told."""
        return os.environ | {
            "DJANGO_SETTINGS_MODULE": "adminset.settings",
            "ADMINSET_DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": f"sqlite:///{self.folder / 'bare.sqlite3'}",
            "MONGO_URL": self.mongo_url,
            "REDIS_URL": services.redis_url(),
            "LOG_LEVEL": "WARNING",
            **self._settings,
        }

    def prepare(self, count: int) -> list[tuple[int, str]]:
        """Make the database with so many agents, and start everything."""
        if self.mongo:
            self.mongo.start()
        template.copy_to(self.folder / "bare.sqlite3")
        words = MAKE_AGENTS.replace("COUNT", str(count))
        made = self._manage("shell", "-v0", "-c", words)
        for role in self.roles:
            self.start(role)
        return [(host_id, token) for host_id, token in json.loads(made)]

    def _manage(self, *words: str) -> bytes:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, check=True, stdout=subprocess.PIPE
        )
        return done.stdout

    def start(self, name: str) -> None:
        """Start a role, or "store", and wait until it answers."""
        if name == "store":
            assert self.mongo
            self.mongo.start()
            return
        port = self.ports[name]
        application = EMBEDDED if self.mongo else NULL
        web = serve(application, port, self.environment | {"ADMINSET_ROLE": name})
        self.webs[name] = web
        services.wait_for_port(port, web, 60)

    def kill(self, name: str) -> None:
        """Kill -9 a role, or "store"."""
        if name == "store":
            assert self.mongo
            self.mongo.kill()
            return
        self.webs[name].kill()
        self.webs[name].wait(10)

    def processes(self) -> dict[str, psutil.Process]:
        """Give what runs now, by name."""
        found = {name: psutil.Process(web.pid) for name, web in self.webs.items()}
        if self.mongo and self.mongo._process:
            found["store"] = psutil.Process(self.mongo._process.pid)
        return found

    def stop(self) -> None:
        """End everything."""
        for web in self.webs.values():
            web.terminate()
        for web in self.webs.values():
            web.wait(20)
        if self.mongo:
            self.mongo.kill()


@contextmanager
def bare(
    folder: Path, count: int, *, store: bool = True
) -> Iterator[tuple[Server, BareServer]]:
    """Run one web process, and a store or none."""
    made = BareServer(folder, store=store)
    try:
        known = made.prepare(count)
        ports = [*made.ports.values()]
        yield Server(ports, known, made.mongo_url, made.processes()), made
    finally:
        made.stop()


@contextmanager
def whole(folder: Path, count: int, **settings: str) -> Iterator[tuple[Server, Portal]]:
    """Run the whole portal: web, workers, beat, agent and stores."""
    port = services.free_port()
    log = (folder / "up.log").open("wb")
    launcher = subprocess.Popen(
        [sys.executable, "-m", "adminset.launch", "up"],
        cwd=ROOT,
        env=environment(folder, port) | settings,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    portal = Portal(folder, port, launcher)
    try:
        wait_until(
            "the ready file",
            lambda: portal.ready() or launcher.poll() is not None,
            READY_SECONDS,
        )
        assert portal.ready(), (folder / "up.log").read_text()
        words = MAKE_AGENTS.replace("COUNT", str(count))
        known = json.loads(portal.manage("shell", "-v0", "-c", words))
        names = ("web", "secantus", "worker", "valkey")
        watched = {name: portal.process(name) for name in names}
        pairs = [(host_id, token) for host_id, token in known]
        yield Server([port], pairs, _mongo_url(folder), watched), portal
    finally:
        launcher.send_signal(signal.SIGTERM)
        # A loaded machine takes its time, and the figures must not go with it.
        launcher.wait(120)
        log.close()


def _mongo_url(folder: Path) -> str:
    lines = (folder / "run" / "services.env").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    return told["MONGO_URL"].strip("\"'")
