"""Whose turn it is in an environment: two people, closed windows, and what is not new any more when its turn comes."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from adminset.errors import Conflict
from delivery.engine import beginning, requesting
from delivery.engine.advance import advance
from delivery.models import (
    Artefact,
    Deploy,
    DeployLock,
    DeployRequest,
    LiveRelease,
    Pipeline,
)
from delivery.safety.windows import closed_words
from tasks.models import Calendar
from tests.app_factories import grant_on
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db
DELIVERS = ("appconf.deploy_environment", "delivery.add_deploy")


def moved(deploy: Deploy) -> Deploy:
    advance(deploy.pk)
    deploy.refresh_from_db()
    return deploy


@pytest.fixture
def bea(paper: Paper) -> User:
    """Another one who delivers there."""
    user = make_user("bea")
    grant_on(user, DELIVERS, paper.pipeline.project)
    return user


def test_of_two_people_the_second_is_told_who_holds_the_environment(
    paper: Paper, bea: User
) -> None:
    first = moved(paper.ask(reason="new prices"))
    assert first.status == "running"
    second = moved(paper.ask(actor=bea))
    assert (second.status, second.started_at) == ("waiting", None)
    assert f"deploy #{first.pk} of admin" in second.waiting_for
    assert "new prices" in second.waiting_for
    with pytest.raises(Conflict, match=f"deploy #{first.pk} of admin") as refused:
        paper.ask(actor=bea, wait=False)
    assert refused.value.code == "locked"
    assert "new prices" in refused.value.message
    assert Deploy.objects.count() == 2
    assert DeployLock.objects.get().deploy == first
    Deploy.objects.filter(pk=first.pk).update(status="ok")
    DeployLock.objects.all().delete()
    assert moved(second).status == "running"
    assert DeployLock.objects.get().owner == bea


def test_who_does_not_want_to_wait_is_told_who_asked_before(
    paper: Paper, bea: User
) -> None:
    first = paper.ask()
    with pytest.raises(Conflict, match="of admin was asked for before it"):
        paper.ask(actor=bea, wait=False)
    assert list(Deploy.objects.all()) == [first]


def test_whoever_asks_holds_the_row_of_the_environment(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two transactions at the same moment need PostgreSQL; that the row is locked before anybody looks shows it here.
    seen: list[str] = []
    real, turn = QuerySet.select_for_update, requesting._ensure_turn

    def locking(self: Any, *given: Any, **wanted: Any) -> Any:
        seen.append(f"lock {self.model.__name__}")
        return real(self, *given, **wanted)

    def looking(environment: Any) -> None:
        seen.append("look")
        turn(environment)

    monkeypatch.setattr(QuerySet, "select_for_update", locking)
    monkeypatch.setattr(requesting, "_ensure_turn", looking)
    paper.ask(wait=False)
    assert seen == ["lock Environment", "look"]


def pile(paper: Paper, count: int) -> list[Deploy]:
    """Deploys that wait for a window that never opens."""
    never = Calendar.objects.create(name="new year", times="1999-01-01")
    paper.way(calendar=never)
    return [paper.ask() for _number in range(count)]


def test_however_many_wait_for_a_window_it_is_asked_once(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    pile(paper, 5)
    free = Pipeline.objects.create(project=paper.pipeline.project, name="free")
    paper.pipeline = free
    last = paper.ask()
    asked: list[int] = []

    def counted(pipeline: Pipeline, *given: object) -> str:
        asked.append(pipeline.pk)
        return closed_words(pipeline, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(beginning, "closed_words", counted)
    with CaptureQueriesContext(connection) as seen:
        assert beginning._before_it(last) is None
    assert (len(asked), len(seen)) == (1, 2)
    assert moved(last).status == "running"


def test_an_emergency_in_a_closed_window_keeps_its_turn(paper: Paper) -> None:
    pile(paper, 1)
    urgent = paper.ask(emergency_reason="the shop is down for everybody")
    paper.pipeline = Pipeline.objects.create(
        project=paper.pipeline.project, name="free"
    )
    last = moved(paper.ask())
    assert last.waiting_for == f"{urgent} of admin was asked for before it."


def live_with(paper: Paper, artefact: Artefact) -> None:
    """All hosts run an artefact, and say so."""
    for host in paper.hosts:
        LiveRelease.objects.create(
            environment=paper.environment,
            host=host,
            artefact=artefact,
            expected=artefact.release,
            said=artefact.release,
            read_at=timezone.now(),
        )


@pytest.mark.parametrize(
    ("only_new", "status"), [(True, "cancelled"), (False, "running")]
)
def test_what_others_brought_meanwhile_is_not_delivered_once_more(
    paper: Paper, only_new: bool, status: str
) -> None:
    artefact = paper.artefact(commit="c" * 40)
    deploy = paper.ask(artefact=artefact)
    Deploy.objects.filter(pk=deploy.pk).update(commit="c" * 40)
    DeployRequest.objects.create(
        key="schedule:1",
        pipeline=paper.pipeline,
        environment=paper.environment,
        asked_by_name="admin",
        only_new=only_new,
        deploy=deploy,
    )
    live_with(paper, artefact)
    assert moved(deploy).status == status
    if only_new:
        assert deploy.explanation == "Nothing new: cccccccccccc is live already."
        assert deploy.started_at is None
        assert not DeployLock.objects.exists()


def test_a_host_that_lacks_the_commit_is_something_new(paper: Paper) -> None:
    artefact = paper.artefact(commit="c" * 40)
    live_with(paper, artefact)
    ids = [host.pk for host in paper.hosts]
    assert beginning.is_everywhere(paper.environment.pk, "c" * 40, ids)
    LiveRelease.objects.filter(host=paper.hosts[0]).update(said="0-other")
    assert not beginning.is_everywhere(paper.environment.pk, "c" * 40, ids)


def test_one_that_can_never_begin_does_not_hold_up_the_others(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = paper.ask(), paper.ask()

    def broken(_deploy: Deploy) -> None:
        raise ValueError("a key is gone")

    with monkeypatch.context() as patch:
        patch.setattr(beginning, "ensure_unchanged", broken)
        assert moved(first).status == "failed"
    assert first.explanation == "The portal could not go on; its log says why."
    assert moved(second).status == "running"
