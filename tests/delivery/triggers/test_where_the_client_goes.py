"""The command-line client says where a pipeline does not go: for a deploy, a way back and a retry; nothing is asked for."""

from __future__ import annotations

import pytest

from delivery.models import Deploy, DeployLock, DeployRequest
from tests.app_factories import make_environment
from tests.delivery.factories import make_live
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.test_delivery_client_retry import cli
from tests.tasks.run_api.client_things import Cli

__all__ = ["cli"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


def test_the_client_says_where_a_pipeline_does_not_go(cli: Cli, paper: Paper) -> None:
    artefact = paper.artefact()
    make_live(paper.environment, paper.hosts[0], artefact.release, artefact=artefact)
    ended = paper.ask(artefact=artefact, reason="r")
    Deploy.objects.filter(pk=ended.pk).update(status="failed")
    DeployLock.objects.all().delete()
    paper.pipeline.environments.set([make_environment(paper.pipeline.project)])
    ref = ("--ref-kind", "artefact", "--ref", str(artefact.pk), "--yes")
    for words, said in (
        (("deploy", "paper/main", "live", *ref, "--reason", "r"), "paper / main does"),
        (("rollback", "paper/live", "--reason", "r"), "None of its pipelines goes"),
        (("deploys", "--retry", str(ended.pk)), "paper / main does not go to"),
    ):
        told = cli(*words)
        assert told.returncode == 2, words
        assert said in told.stderr
        assert "to paper / live." in told.stderr
    assert Deploy.objects.count() == 1
    assert not DeployRequest.objects.exists()
