"""A real daemon against a real portal: samples, tables, its own figures, its clock, and each second while somebody watches."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cmdb.models import Agent, Host
from cmdb.services import agents
from monitor.store import MetricStore
from monitor.watching import watch
from tests.factories import make_user

ROOT = Path(__file__).resolve().parents[2]
# An answer may come with the next flush, and the machine may be busy.
PATIENCE_SECONDS = 75


@contextmanager
def daemon(url: str, folder: Path) -> Iterator[None]:
    """A daemon that enrols first; stopped at the end, and its log must have nothing to complain of."""
    token = agents.create_enrolment_token(
        actor=make_user(is_superuser=True), name="contract"
    )[1]
    environment = {
        name: value for name, value in os.environ.items() if "PROXY" not in name.upper()
    } | {
        "ADMINSET_AGENT_CREDENTIAL_FILE": str(folder / "credential"),
        "ADMINSET_AGENT_SPOOL_DIR": str(folder / "spool"),
        "ADMINSET_AGENT_WARMUP_SECONDS": "0",
        "ADMINSET_ENROLL_TOKEN": token,
    }
    command = [sys.executable, "-m", "agent"]
    enrol = [*command, "enroll", "--server", url]
    subprocess.run(enrol, cwd=ROOT, env=environment, check=True, capture_output=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
    try:
        yield
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    text = (folder / "log").read_text()
    assert "Traceback" not in text
    assert "not_sent" not in text


def wait_for(truth: Callable[[], Any]) -> Any:
    """What comes true in another process, which tells nobody."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := truth()):
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)
    return found


@pytest.mark.django_db(transaction=True)
def test_a_watched_host_reports_each_second_with_its_lists_and_its_clock(
    live_server: Any, measurements: MetricStore, tmp_path: Path
) -> None:
    with daemon(live_server.url, tmp_path):
        host: Host = wait_for(lambda: Agent.objects.get().host)
        watch(host.pk)

        def newest() -> Any:
            watch(host.pk)
            return measurements.latest([host.pk]).get(host.pk)

        first = wait_for(newest)
        later = wait_for(lambda: (n := newest()) and n.time > first.time + 3 and n)
        tables = wait_for(lambda: measurements.read_tables(host.pk))
    # Unwatched, the next report would come after a minute.
    assert later.time - first.time < 20
    assert later.values["agent.spool_samples"] < 5
    assert later.values["agent.send_failures"] == 0
    assert later.values["agent.rss_bytes"] < 60 << 20
    assert abs(later.values["system.clock_offset_seconds"]) < 1
    assert "processes" in tables
    assert "python" in {str(row[1])[:6] for row in tables["processes"].rows}
