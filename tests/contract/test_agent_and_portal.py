"""The agent's real words through the portal's real parsers: the two share a format, not code."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from agent.identity import boot_id
from agent.sampler import Sampler
from cmdb.models import Agent, Host
from cmdb.services import agents
from monitor.body import Limits
from monitor.intake import parse_metrics
from monitor.metrics import CATALOGUE, split_name
from monitor.store import MetricStore
from tests.factories import make_user

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = ROOT / "docs" / "agent-protocol.md"


@pytest.fixture(scope="module")
def sample() -> dict[str, Any]:
    """A sample of this machine, the second one so that rates are in it."""
    sampler = Sampler()
    sampler.sample()
    time.sleep(1.1)
    return sampler.sample()


def test_the_portal_takes_a_real_sample_whole(sample: dict[str, Any]) -> None:
    body = {
        "boot_id": boot_id(),
        "sent_at": time.time(),
        "samples": [sample | {"seq": 1}],
    }
    report = parse_metrics(json.dumps(body).encode(), Limits(), time.time())
    assert report.samples[0].refused == ""
    assert report.samples[0].sample.values == sample["values"]


def test_every_metric_that_the_agent_sends_is_in_the_catalogue(
    sample: dict[str, Any],
) -> None:
    unknown = {split_name(name)[0] for name in sample["values"]} - set(CATALOGUE)
    assert unknown == set()


def test_every_metric_of_the_catalogue_is_in_the_protocol() -> None:
    text = PROTOCOL.read_text(encoding="utf-8")
    assert [name for name in CATALOGUE if name not in text] == []


@pytest.mark.django_db(transaction=True)
def test_a_real_agent_enrols_and_reports_to_a_real_portal(
    live_server: Any, measurements: MetricStore, tmp_path: Path
) -> None:
    admin = make_user(is_superuser=True)
    token = agents.create_enrolment_token(actor=admin, name="contract")[1]
    environment = {
        name: value for name, value in os.environ.items() if "PROXY" not in name.upper()
    } | {
        "ADMINSET_AGENT_CREDENTIAL_FILE": str(tmp_path / "credential"),
        "ADMINSET_AGENT_SPOOL_DIR": str(tmp_path / "spool"),
        "ADMINSET_ENROLL_TOKEN": token,
    }
    for words in (["enroll", "--server", live_server.url], ["--once"]):
        done = subprocess.run(
            [sys.executable, "-m", "agent", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    host = Host.objects.get(agent=Agent.objects.get())
    assert host.cpu_threads == os.cpu_count()
    assert host.kernel == Path("/proc/sys/kernel/osrelease").read_text().strip()
    newest = measurements.latest([host.pk])[host.pk]
    assert newest.values["memory.total_bytes"] == host.memory_bytes
    assert token not in done.stderr
