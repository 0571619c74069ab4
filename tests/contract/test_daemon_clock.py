"""A real daemon whose clock is set while it runs, against a real portal."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb.models import Agent, Host
from cmdb.services import agents, standing
from monitor.store import MetricStore
from tests.contract.test_daemon_and_portal import ROOT, wait_for
from tests.factories import make_user

# The agent as it is, with a clock that a file moves.
STARTED = """
import os, sys, time
real = time.time
def moved():
    with open(os.environ["CLOCK_FILE"]) as file:
        return real() + float(file.read() or 0)
time.time = moved
from agent.__main__ import main
sys.exit(main([]))
"""
Start = Callable[..., Path]


@pytest.fixture
def start(
    live_server: Any,
    measurements: MetricStore,
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Start]:
    """Starts a daemon that enrols first; gives its folder."""
    settings.AGENT_SAMPLE_SECONDS = settings.AGENT_FLUSH_SECONDS = 1
    monkeypatch.setattr(standing, "LOOK_SECONDS", 0.0)
    agents.forget_recent()
    started: list[subprocess.Popen[bytes]] = []

    def begin(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "clock").write_text("0")
        told = {k: v for k, v in os.environ.items() if "PROXY" not in k.upper()} | {
            "ADMINSET_AGENT_CREDENTIAL_FILE": str(folder / "credential"),
            "ADMINSET_AGENT_SPOOL_DIR": str(folder / "spool"),
            "ADMINSET_AGENT_SAMPLE_SECONDS": "1",
            "ADMINSET_AGENT_FLUSH_SECONDS": "1",
            "CLOCK_FILE": str(folder / "clock"),
        }
        admin = make_user(is_superuser=True)
        token = agents.create_enrolment_token(actor=admin, name=name)[1]
        told["ADMINSET_ENROLL_TOKEN"] = token
        enrol = [sys.executable, "-m", "agent", "enroll", "--server", live_server.url]
        subprocess.run(enrol, cwd=ROOT, env=told, check=True, capture_output=True)
        with (folder / "log").open("wb") as log:
            command = [sys.executable, "-c", STARTED]
            started.append(subprocess.Popen(command, cwd=ROOT, env=told, stderr=log))
        return folder

    yield begin
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("jump", [900.0, -900.0])
def test_what_a_daemon_measures_after_its_clock_was_set_lies_where_it_was_measured(
    start: Start, measurements: MetricStore, jump: float
) -> None:
    began = time.time()
    folder = start("one")
    host: Host = wait_for(lambda: Agent.objects.get().host)

    def stored() -> list[float]:
        now = time.time()
        kept = measurements.samples_of(host.pk, now - 3000, now + 3000)
        return [sample.time for sample in kept]

    wait_for(lambda: len(stored()) >= 4)
    (folder / "clock").write_text(str(jump))
    known = len(stored())
    wait_for(lambda: len(stored()) >= known + 6)
    wait_for(lambda: abs((Agent.objects.get().clock_offset_seconds or 0) - jump) < 3)
    moments = stored()
    assert min(moments) > began - 3
    assert max(moments) < time.time() + 3
    steps = [after - before for before, after in itertools.pairwise(moments)]
    # One each second, before and after; where the clock was set a second may be off.
    assert max(steps) < 4, steps
    assert "Traceback" not in (folder / "log").read_text()
