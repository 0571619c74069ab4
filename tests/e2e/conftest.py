"""A portal started as `make up` starts it, and a real Chromium: shared by all tests of this folder."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from playwright.sync_api import sync_playwright

from tests import dump, services
from tests.browser import CHROMIUM, CHROMIUM_OPTIONS, complaints_of
from tests.canaries import Canaries
from tests.e2e import terminal_page
from tests.farm import SshFarm, why_not

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "the password of this test"
READY_SECONDS = 300
GONE_SECONDS = 5

# Every secret that a test of this folder gives to the portal or gets from it; looked for everywhere when the last test is over.
planted = Canaries()


def wait_until(what: str, answer: Callable[[], Any], seconds: float = 60) -> Any:
    """Ask until the answer is true, and give it; an error names what did not come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = answer()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")


@dataclass
class Portal:
    """A running portal."""

    folder: Path
    port: int
    launcher: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def ready(self) -> dict[str, Any] | None:
        """Give what `make up` says of it; None while it starts."""
        file = self.folder / "run" / "ready.json"
        return json.loads(file.read_text()) if file.exists() else None

    def readyz(self) -> dict[str, Any]:
        """Give the state of its parts; {} while nothing answers."""
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).json()
        except (requests.RequestException, ValueError):
            return {}

    def wait_ready(self) -> None:
        """Wait until every part answers."""
        wait_until(
            "a ready portal", lambda: self.readyz().get("status") == "ok", READY_SECONDS
        )

    def manage(self, *words: str) -> str:
        """Run manage.py against it and give what it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def environment(self) -> dict[str, str]:
        """Give the environment that makes manage.py speak to this portal."""
        return environment(self.folder, self.port)

    def process(self, name: str) -> psutil.Process:
        """Find the running process of a part ("web", "worker", "runner", "beat", "agent", "valkey", "secantus")."""
        marks = {
            "web": "adminset.asgi",
            "worker": "--queues adminset",
            "runner": "--queues runs",
            "urgent": "--queues urgent",
            "builder": "--queues delivery",
            "planner": "--queues questions",
            "beat": "celery -A adminset beat",
            "agent": "-m agent",
            "valkey": "valkey-server",
            "secantus": "secantusd",
        }
        for found in psutil.Process(self.launcher.pid).children(recursive=True):
            try:
                if marks[name] in " ".join(found.cmdline()):
                    return found
            except psutil.Error:
                continue
        raise LookupError(f"no process of {name}")


def environment(folder: Path, port: int) -> dict[str, str]:
    """Give an environment without what the test process was told itself."""
    ours = (
        "ADMINSET_",
        "DATABASE_URL",
        "REDIS_URL",
        "MONGO_URL",
        "DJANGO_SETTINGS_MODULE",
        "PYTEST_",
    )
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(ours)
    }
    return kept | {
        "ADMINSET_DATA_DIR": str(folder),
        "PORT": str(port),
        "ADMINSET_ADMIN_PASSWORD": PASSWORD,
        # Sources of projects lie on servers of this machine (test_delivery.py).
        "ADMINSET_OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
    }


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Start a portal on an empty data directory; stop it at the end and see that nothing is left."""
    folder, port = tmp_path_factory.mktemp("portal"), services.free_port()
    log = (folder / "up.log").open("wb")
    launcher = subprocess.Popen(
        [sys.executable, "-m", "adminset.launch", "up"],
        cwd=ROOT,
        env=environment(folder, port),
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    started = Portal(folder, port, launcher)
    try:
        wait_until(
            "the ready file",
            lambda: started.ready() or launcher.poll() is not None,
            READY_SECONDS,
        )
        assert started.ready(), (folder / "up.log").read_text()
        _plant_own_secrets(folder)
        yield started
        running = [*dump.stores(folder), *dump.processes(launcher.pid)]
    finally:
        family = _family(launcher.pid)
        launcher.send_signal(signal.SIGTERM)
        launcher.wait(20)
        log.close()
    assert _still_there(family) == []
    assert planted.leaks(itertools.chain(running, dump.files(folder))) == []
    assert dump.open_to_others(folder) == []


def _family(pid: int) -> dict[psutil.Process, str]:
    """Give a process and all below it, with their commands: these cannot be read any more when they end."""
    first = psutil.Process(pid)
    told = {}
    for one in (first, *first.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            told[one] = " ".join(one.cmdline())
    return told


def _still_there(family: dict[psutil.Process, str]) -> list[str]:
    """Name who lives on. One that was killed is there until init has buried it, which on a loaded machine comes after the launcher's end."""
    _gone, left = psutil.wait_procs(family, timeout=GONE_SECONDS)
    return [f"{one.pid} {family[one]}" for one in left]


def _plant_own_secrets(folder: Path) -> None:
    """Look for the portal's own secrets too: its keys, the first password, the secret of its agent."""
    planted.add("password of the administrator", PASSWORD)
    for file in (folder / "secrets").iterdir():
        for entry in file.read_text().split():
            planted.add(file.name, entry.rpartition(":")[2])
    agent = json.loads((folder / "agent" / "credential").read_text())
    planted.add("secret of the agent", agent["secret"])


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    """Two hosts to add: real sshd on loopback."""
    if why_not():
        pytest.skip(why_not())
    with SshFarm(2, tmp_path_factory.mktemp("farm")) as started:
        yield started


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real Chromium; gone with the module, for the event loop behind it would stand in the way of other tests' loops."""
    if not CHROMIUM.exists():
        pytest.skip("no Chromium at /usr/bin/chromium: apt install chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=CHROMIUM_OPTIONS
        )
        yield started
        started.close()


@pytest.fixture
def page(browser: Any, portal: Portal) -> Iterator[Any]:
    """A page of a fresh visitor; an error in the console, or a break of the CSP, fails the test."""
    context = browser.new_context(
        base_url=portal.url, viewport={"width": 1440, "height": 900}, locale="en-US"
    )
    opened = context.new_page()
    opened.complaints = complaints_of(opened)
    yield opened
    context.close()


def sign_in(page: Any, username: str = "admin", password: str = PASSWORD) -> None:
    """Sign in as a person does."""
    page.goto("/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.click("button[type=submit]")
    page.wait_for_selector("nav", timeout=60_000)
    for cookie in page.context.cookies():
        if cookie["name"] == "sessionid":
            planted.add(f"session {cookie['value'][:4]}", cookie["value"])


@pytest.fixture
def signed_in(page: Any) -> Any:
    """A page on which the administrator is signed in."""
    sign_in(page)
    return page


@pytest.fixture(scope="session")
def terminal_hosts(
    portal: Portal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[int]]:
    """Two real hosts in the CMDB, on which terminals can be opened."""
    folder = tmp_path_factory.mktemp("terminals")
    with SshFarm(2, folder / "farm") as farm:
        planted.add("private key of the terminals", farm.client_key.read_text())
        yield terminal_page.make_hosts(portal, farm, folder / "told.json")


@pytest.fixture
def terminal(page: Any, terminal_hosts: list[int]) -> Any:
    """A page of the administrator with one terminal, at its prompt."""
    sign_in(page)
    terminal_page.at_prompt(page, terminal_hosts[0])
    return page
