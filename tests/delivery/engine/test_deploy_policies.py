"""Policies: a canary that is watched, blue-green, one host at a time; variables that reach hooks; what the trail tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from appconf.models import Variable
from delivery.models import DeployStep
from delivery.safety import gates
from monitor.store import StoreUnavailable
from tasks.models import Run, RunHost
from tests.delivery.engine.deploy_things import Stage, kinds, running, statuses

pytestmark = pytest.mark.django_db


def time_is_over(stage: Stage) -> None:
    """Let the time of watching be over."""
    late = timezone.now() - timedelta(seconds=1)
    DeployStep.objects.filter(kind="watch").update(until=late)


def canary(stage: Stage, monkeypatch: pytest.MonkeyPatch, lines: Any) -> Any:
    """Deploy to a canary whose hosts have these values; None: the store is away."""

    def read(*_given: Any) -> Any:
        if lines is None:
            raise StoreUnavailable("away")
        return lines

    stage.deploy(stage.artefact("one"))
    stage.way(policy="canary", canary_hosts=1, gate_metric="app.errors", gate_limit=5.0)
    monkeypatch.setattr(gates, "over_time", read)
    return stage.deploy(stage.artefact("two"))


def test_a_canary_that_is_well_lets_the_others_follow(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stage.hosts[0].pk
    deploy = canary(stage, monkeypatch, {first: [1.0, 2.0]})
    step = running(deploy)
    assert step is not None
    assert (deploy.status, step.kind, stage.live()) == (
        "running",
        "watch",
        ["two", "one", "one"],
    )
    time_is_over(stage)
    deploy = stage.drive(deploy)
    assert (deploy.status, stage.live()) == ("ok", ["two", "two", "two"])


def test_a_canary_with_too_many_errors_goes_back_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy = canary(stage, monkeypatch, {stage.hosts[0].pk: [3.0, 10.0]})
    assert deploy.status == "rolled_back", (deploy.explanation, kinds(deploy))
    assert "app.errors is 10, and the limit is 5" in deploy.explanation
    assert stage.live() == ["one", "one", "one"]
    assert statuses(deploy)["host1"] == "left"


def test_a_canary_that_falls_ill_while_it_is_watched_goes_back(stage: Stage) -> None:
    stage.deploy(stage.artefact("one"))
    stage.way(
        policy="canary",
        health_kind="command",
        health_target="test ! -e ../../ill",
        health_attempts=1,
    )
    deploy = stage.deploy(stage.artefact("two"))
    assert stage.live() == ["two", "one", "one"]
    ill = stage.roots[stage.hosts[0].pk] / "ill"
    ill.touch()
    time_is_over(stage)
    stage.during["switch_back"] = lambda step: ill.unlink()
    deploy = stage.drive(deploy)
    assert deploy.status == "rolled_back", (deploy.explanation, kinds(deploy))
    assert "Not well after 1 try" in deploy.explanation
    assert stage.live() == ["one", "one", "one"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [(None, "cannot be read"), ({}, "No host sent app.errors")],
)
def test_a_canary_that_nobody_could_measure_is_no_good_sign(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, lines: Any, words: str
) -> None:
    deploy = canary(stage, monkeypatch, lines)
    assert deploy.status == "running"
    time_is_over(stage)
    deploy = stage.drive(deploy)
    assert (deploy.status, stage.live()) == ("rolled_back", ["one", "one", "one"])
    assert words in deploy.explanation


def test_one_host_at_a_time_is_drained_and_taken_back(stage: Stage) -> None:
    log = stage.folder / "balancer"
    stage.way(
        policy="one_by_one",
        drain=f'echo "out $ADMINSET_HOST" >> {log}',
        back=f'echo "in $ADMINSET_HOST" >> {log}',
    )
    assert stage.deploy(stage.artefact("one")).status == "ok"
    said = log.read_text().splitlines()
    assert said == [f"{word} host{n}" for n in range(3) for word in ("out", "in")]


def test_blue_green_sends_everybody_to_the_other_slot(stage: Stage) -> None:
    stage.way(
        policy="blue_green",
        switch_command='readlink "$ADMINSET_ROOT/$ADMINSET_SLOT" > ../../serves',
    )
    first, second = stage.artefact("one"), stage.artefact("two")
    assert stage.deploy(first).status == "ok"
    deploy = stage.deploy(second)
    assert deploy.status == "ok", deploy.explanation
    for root in stage.roots.values():
        assert (root / "serves").read_text() == f"releases/{second.release}\n"
        slots = {str((root / slot).readlink()) for slot in ("blue", "green")}
        assert slots == {f"releases/{one.release}" for one in (first, second)}


def test_variables_reach_hooks_and_secret_ones_nothing_else(stage: Stage) -> None:
    for name, values in {
        "MODE": {"value": "fast"},
        "KEY": {"secret": "geheim-geheim-7", "is_secret": True},
    }.items():
        Variable.objects.create(
            level="environment", environment=stage.environment, name=name, **values
        )
    stage.way(after_switch='echo "$MODE $KEY"; echo "$MODE $KEY" > ../../told')
    deploy = stage.deploy(stage.artefact("one"))
    assert deploy.status == "ok", deploy.explanation
    root = stage.roots[stage.hosts[0].pk]
    assert (root / "told").read_text() == "fast geheim-geheim-7\n"
    rows = [*Run.objects.values(), *RunHost.objects.values()]
    told = [str({k: v for k, v in row.items() if k != "sealed"}) for row in rows]
    assert not [text for text in told if "geheim-geheim-7" in text]
    outputs = "".join(p.read_text() for p in stage.folder.glob("runs/**/*.log"))
    assert "geheim-geheim-7" not in outputs
    assert "geheim-geheim-7" not in str(deploy.plan)


def test_a_command_stage_and_a_confirmation_come_in_the_order_of_the_stages(
    stage: Stage,
) -> None:
    stage.way(
        stages=[
            {"kind": "distribute"},
            {"kind": "command", "title": "Migrate", "command": "touch ../../migrated"},
            {"kind": "confirm", "title": "All well?"},
            {"kind": "activate"},
        ]
    )
    deploy = stage.deploy(stage.artefact("one"))
    assert (deploy.status, stage.live()) == ("paused", ["", "", ""])
    assert "All well?" in deploy.waiting_for
    assert all((root / "migrated").exists() for root in stage.roots.values())
