"""A web process in which terminals can be opened, and somebody behind it who makes hosts and tickets and looks at what became of them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adminset.launch import programs
from adminset.launch.config import Place
from tests import services, template
from tests.farm import SshFarm
from tests.simulation.terminal_page import Page

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60
# What a test process was told itself.
OURS = ("ADMINSET_", "DATABASE_URL", "REDIS_URL", "MONGO_URL", "PYTEST_")


@dataclass
class Desk:
    """Speaks to a portal's database as its pages do, from a process of its own.

    Attributes:
        port: where the portal's web process answers.
        environment: what makes a process one of this portal.
        cookie: of a browser in which somebody is signed in.
        hosts: on which terminals can be opened.
    """

    port: int
    environment: Mapping[str, str]
    cookie: str = ""
    hosts: list[int] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None

    def ask(self, do: str, **told: Any) -> Any:
        """Have something done (terminal_desk.py); keys and tickets go through pipes, not through a command line."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.simulation.terminal_desk"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                env=dict(self.environment),
                text=True,
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **told}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"{do} failed, see above"
        return json.loads(answer)

    def close(self) -> None:
        """End its process."""
        if self.process is not None:
            # It ends with what it is asked.
            self.process.communicate(timeout=20)
            self.process = None

    def settle(self, farm: SshFarm) -> None:
        """Make the hosts of a farm known, and sign somebody in."""
        places = [(h.name, h.address, h.port, h.host_key) for h in farm.hosts]
        key = farm.client_key.read_text()
        made = self.ask("settle", user=farm.user, key=key, places=places)
        self.cookie, self.hosts = made["cookie"], made["hosts"]

    def pages(self, count: int) -> list[Page]:
        """Open so many terminals; their pages have a minute to come."""
        opened = self.ask("open_many", hosts=self.hosts, count=count)
        return [Page(self.port, self.cookie, *each) for each in opened]


class LoneWeb:
    """One web process as the launcher starts it, with a database of its own and nothing beside it; it may be killed.

    Args:
        settings: more of the environment.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.port = folder, services.free_port()
        self.web: subprocess.Popen[bytes] | None = None
        self.desk = Desk(self.port, {})
        self._settings = settings

    @property
    def environment(self) -> dict[str, str]:
        """What its processes are told."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
        return kept | {
            "DJANGO_SETTINGS_MODULE": "adminset.settings",
            "ADMINSET_DATA_DIR": str(self.folder / "data"),
            "DATABASE_URL": f"sqlite:///{self.folder / 'portal.sqlite3'}",
            "REDIS_URL": services.redis_url(),
            "MONGO_URL": "mongodb://127.0.0.1:1/",
            # As the launcher has it.
            "MALLOC_ARENA_MAX": "2",
            "PORT": str(self.port),
            **self._settings,
        }

    def prepare(self, farm: SshFarm) -> Desk:
        """Make the database, with the hosts of a farm, and start."""
        template.copy_to(self.folder / "portal.sqlite3")
        self.desk.environment = self.environment
        self.desk.settle(farm)
        self.start()
        return self.desk

    def start(self) -> None:
        """Start, and wait until it answers."""
        environ = self.environment
        place = Place(ROOT, self.folder / "data", "127.0.0.1", self.port, environ)
        parts = programs.portal(place, 1)
        command = next(part.command for part in parts if part.name == "web")
        with (self.folder / "web.log").open("ab") as log:
            self.web = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdout=log, stderr=log
            )
        services.wait_for_port(self.port, self.web, READY_SECONDS)

    def kill(self) -> None:
        """Kill it (-9)."""
        assert self.web
        self.web.kill()
        self.web.wait(10)

    def stop(self) -> None:
        """End it as the process manager does."""
        self.desk.close()
        if self.web is not None and self.web.poll() is None:
            self.web.terminate()
            self.web.wait(20)

    def log(self) -> str:
        """Give what it wrote so far."""
        return (self.folder / "web.log").read_text(errors="replace")
