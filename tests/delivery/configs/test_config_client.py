"""The command-line client pushes configuration, reads it back, and waits for the end of either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from delivery.models import ConfigPush, DeployLock
from tasks.models import Calendar
from tests.appconf.config_things import make_file
from tests.delivery.safety.safety_things import Paper
from tests.tasks.run_api.api_things import token_of
from tests.tasks.run_api.client_things import Cli

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
WHERE = "paper/live"


@pytest.fixture
def cli(live_server: Any, paper: Paper, tmp_path: Path) -> Cli:
    """The client, with a token of the user of the paper."""
    make_file(paper.user, paper.pipeline.project, "a\n", "/etc/a.conf")
    return Cli(live_server.url, token_of(paper.user), tmp_path)


def test_a_push_is_begun_followed_and_refused_by_its_exit_code(
    cli: Cli, paper: Paper
) -> None:
    plan = cli("config-push", WHERE, "--host", "paper1", "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "  paper1 /etc/a.conf: not read yet\n" in plan.stdout
    assert not ConfigPush.objects.exists()
    hashed = plan.stdout.split("--plan-hash ")[1].strip()
    words = ("config-push", WHERE, "--reason", "new limits", "--plan-hash", hashed)
    assert cli(*words).returncode == 2
    told = cli(*words, "--host", "paper1")
    assert told.returncode == 0, told.stderr
    push = ConfigPush.objects.get()
    assert told.stdout.startswith(f"config-push #{push.pk} ")
    assert [row.host_name for row in push.hosts.all()] == ["paper1"]
    assert cli("config-push", WHERE, "--reason", "again").returncode == 2
    late = cli("config-wait", str(push.pk), "--timeout", "0.1")
    assert late.returncode == 4, late.stderr
    DeployLock.objects.all().delete()
    for status, code in (("ok", 0), ("failed", 1), ("cancelled", 3)):
        ConfigPush.objects.update(status=status, explanation="said so")
        told = cli("config-wait", str(push.pk))
        assert told.returncode == code, told.stderr
        assert told.stdout == f"config #{push.pk}: {status} said so\n"
    paper.way(freezes=Calendar.objects.create(name="always", times="mon-sun"))
    refused = cli("config-push", WHERE, "--reason", "in the freeze")
    assert refused.returncode == 2
    assert "Nothing is deployed now" in refused.stderr
    read = cli("config-read", WHERE, "--file", "/etc/a.conf")
    assert read.returncode == 0, read.stderr
    assert ConfigPush.objects.get(kind="read").status == "running"
    assert cli("config-push", WHERE, "--emergency", "no reason").returncode == 2
    assert ConfigPush.objects.count() == 2
