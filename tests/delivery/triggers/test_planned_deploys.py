"""Deploys that begin by themselves: once for each planned time, late ones as the policy says, never two of one schedule at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from adminset import maintenance
from delivery.models import Deploy, DeployRequest
from delivery.triggers import making, taking
from delivery.triggers.making import make
from delivery.triggers.ticking import take, tick
from tests.delivery.factories import make_live
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.trigger_things import COMMIT, NINE, due, states

pytestmark = pytest.mark.django_db


def test_a_planned_time_becomes_one_deploy_as_its_owner(paper: Paper) -> None:
    schedule = due(paper)
    tick(NINE)
    tick(NINE)
    row = DeployRequest.objects.get()
    assert (row.trigger, row.asked_by, row.planned.planned_at) == (
        "schedule",
        paper.user,
        NINE,
    )
    schedule.refresh_from_db()
    assert schedule.next_at == NINE + timedelta(hours=1)
    make(row.pk)
    make(row.pk)
    deploy = Deploy.objects.get()
    assert (deploy.commit, deploy.trigger, deploy.requested_by) == (
        COMMIT,
        "schedule",
        paper.user,
    )


def test_two_ticks_at_the_same_moment_take_a_time_once(paper: Paper) -> None:
    first, second = due(paper), None
    second = type(first).objects.get()
    take(first, NINE)
    take(second, NINE)
    assert states() == ["asked"]
    assert DeployRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("missed", "wanted"),
    [("skip", ["missed", "missed", "missed"]), ("once", ["missed", "missed", "asked"])],
)
def test_times_at_which_the_portal_was_away_go_by_the_policy(
    paper: Paper, missed: str, wanted: list[str]
) -> None:
    due(paper, missed=missed)
    tick(NINE + timedelta(hours=2, minutes=30))
    assert states() == wanted
    assert DeployRequest.objects.count() == wanted.count("asked")


@pytest.mark.parametrize(
    ("overlap", "wanted"), [("skip", "overlapped"), ("queue", "asked")]
)
def test_what_becomes_of_a_time_while_the_former_deploy_goes_on(
    paper: Paper, overlap: str, wanted: str
) -> None:
    due(paper, overlap=overlap)
    tick(NINE)
    make(DeployRequest.objects.get().pk)
    assert Deploy.objects.update(status="running") == 1
    tick(NINE + timedelta(hours=1))
    assert states() == ["asked", wanted]


def test_nothing_begins_where_the_commit_is_live_already(paper: Paper) -> None:
    due(paper)
    artefact = paper.artefact(commit=COMMIT)
    for host in paper.hosts:
        make_live(paper.environment, host, artefact.release, artefact=artefact)
    tick(NINE)
    row = DeployRequest.objects.get()
    make(row.pk)
    row.refresh_from_db()
    assert row.state == "left"
    assert COMMIT[:12] in row.words
    assert not Deploy.objects.exists()


def test_in_maintenance_nothing_is_taken_up(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    due(paper)
    monkeypatch.setattr(maintenance, "is_on", lambda: True)
    tick(NINE)
    assert states() == []


def test_an_owner_who_left_turns_it_off(paper: Paper) -> None:
    schedule = due(paper)
    User.objects.filter(pk=paper.user.pk).update(is_active=False)
    tick(NINE)
    schedule.refresh_from_db()
    assert (schedule.enabled, states()) == (False, ["skipped"])
    assert "cannot sign in" in schedule.notice
    assert not DeployRequest.objects.exists()


def test_a_reference_that_is_not_there_is_said_and_does_not_turn_it_off(
    paper: Paper,
) -> None:
    schedule = due(paper, ref="no-such")
    tick(NINE)
    row = DeployRequest.objects.get()
    make(row.pk)
    row.refresh_from_db()
    schedule.refresh_from_db()
    assert (row.state, schedule.enabled) == ("refused", True)
    assert "no-such" in row.words
    assert not Deploy.objects.exists()


def test_what_changed_since_turns_it_off(paper: Paper) -> None:
    schedule = due(paper)
    paper.way(restart="evil")
    tick(NINE)
    row = DeployRequest.objects.get()
    make(row.pk)
    schedule.refresh_from_db()
    assert not schedule.enabled
    assert "the pipeline" in schedule.notice
    assert not Deploy.objects.exists()


def test_a_wish_whose_worker_died_goes_to_another_and_not_for_ever(
    paper: Paper, wished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    due(paper)
    tick(NINE)
    row = DeployRequest.objects.get()

    def fall(*args: Any) -> None:
        raise RuntimeError("the worker fell")

    monkeypatch.setattr(making, "_plan_of", fall)
    for number in range(1, making.MOST_TRIES + 1):
        make(row.pk)
        row.refresh_from_db()
        assert row.tries == number
        making.sweep()
    assert (row.state, row.code) == ("refused", "mistake")
    assert row.pk in wished
    assert not Deploy.objects.exists()


def test_a_wish_that_a_worker_has_in_hand_is_not_given_twice(
    paper: Paper, wished: list[int]
) -> None:
    due(paper)
    tick(NINE)
    row = DeployRequest.objects.get()
    assert taking.take(row.pk)
    assert not taking.take(row.pk)
    wished.clear()
    making.sweep()
    assert wished == []
