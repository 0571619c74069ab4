"""The command-line client tries a deploy again: it names the successor that a worker made, or says that the deploy goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from delivery.engine.advance import advance
from delivery.models import Deploy, DeployLock
from delivery.triggers import wishing
from delivery.triggers.making import make
from tasks.run_api import waiting
from tests.delivery.safety.safety_things import Paper
from tests.tasks.run_api.api_things import token_of
from tests.tasks.run_api.client_things import Cli, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.fixture
def cli(
    live_server: Any, paper: Paper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cli]:
    """The client, with a token of the user of the paper; requests are treated as soon as they come."""
    monkeypatch.setattr(waiting, "LONGEST_SECONDS", 1.0)
    monkeypatch.setattr(wishing, "call_for", lambda pk, kind: make(pk))
    yield Cli(live_server.url, token_of(paper.user), tmp_path)
    until(lambda: waiting._waiting == 0)


def test_a_deploy_is_tried_again_by_its_number(cli: Cli, paper: Paper) -> None:
    ended = paper.ask(reason="release 1.4")
    Deploy.objects.filter(pk=ended.pk).update(status="failed")
    DeployLock.objects.all().delete()
    ended.hosts.update(status="failed")
    ended.hosts.filter(host=paper.hosts[0]).update(status="ok")
    told = cli("deploys", "--retry", str(ended.pk), "--reason", "again")
    assert told.returncode == 0, told.stderr
    again = Deploy.objects.get(retried_from=ended)
    assert told.stdout.startswith(f"deploy #{again.pk} ")
    assert (again.reason, again.hosts.count()) == ("again", 2)
    paused = Deploy.objects.get(pk=again.pk)
    advance(paused.pk)
    paused.steps.filter(position=paused.steps.earliest("position").position).update(
        status="failed"
    )
    Deploy.objects.filter(pk=paused.pk).update(status="paused")
    told = cli("deploys", "--retry", str(paused.pk), "--all-hosts", "--json")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == {
        "deploy": paused.pk,
        "request": None,
        "type": "retry",
    }
    refused = cli("deploys", "--retry", str(paused.pk))
    assert refused.returncode == 2
    assert "there is nothing to retry" in refused.stderr
