"""Two at the same moment, on a real database: rules close no circle together, sets and deploys do not share an environment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from adminset.errors import DomainError
from adminset.models import PortalSwitch
from delivery.models import Deploy, FollowUp, ReleaseSet, ReleaseSetItem, SetRun
from delivery.releasesets.starting import start_set
from delivery.triggers import circles
from delivery.triggers.forms import FollowUpForm
from delivery.triggers.saving import save_trigger
from tests.app_factories import make_environment
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db(transaction=True)
WAIT = 60


@pytest.fixture(autouse=True)
def _real() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite in memory is one connection")


def together(*works: Callable[[], Any]) -> list[str]:
    """Do all of it at the same moment, each with a connection of its own; give how each one ended."""
    ends, gate = [""] * len(works), threading.Barrier(len(works), timeout=WAIT)

    def do(place: int) -> None:
        try:
            gate.wait()
            works[place]()
            ends[place] = "done"
        except DomainError as error:
            ends[place] = error.code
        finally:
            connection.close()

    threads = [
        threading.Thread(target=do, args=(place,)) for place in range(len(works))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(WAIT)
    return sorted(ends)


def test_two_rules_that_are_saved_at_once_close_no_circle(paper: Paper) -> None:
    other = make_environment(
        paper.pipeline.project, "production", hosts=paper.hosts, by=paper.user
    )

    def form(start: Any, end: Any) -> FollowUpForm:
        data = {
            "after_pipeline": paper.pipeline.pk,
            "after_environment": start.pk,
            "pipeline": paper.pipeline.pk,
            "environment": end.pk,
            "enabled": True,
        }
        made = FollowUpForm(data, user=paper.user)
        assert made.is_valid(), made.errors
        return made

    PortalSwitch.objects.create(name=circles.LOCK)
    there, back = form(paper.environment, other), form(other, paper.environment)
    ends = together(
        lambda: save_trigger(actor=paper.user, form=there),
        lambda: save_trigger(actor=paper.user, form=back),
    )
    assert ends == ["circle", "done"]
    assert FollowUp.objects.count() == 1


def test_of_two_deploys_that_will_not_wait_one_is_refused(paper: Paper) -> None:
    paper.artefact()
    ends = together(lambda: paper.ask(wait=False), lambda: paper.ask(wait=False))
    assert ends == ["done", "locked"]
    assert Deploy.objects.count() == 1


def test_two_sets_through_one_environment_do_not_start_at_once(paper: Paper) -> None:
    other = make_environment(
        paper.pipeline.project, "second", hosts=paper.hosts, by=paper.user
    )
    sets = []
    for places in ((paper.environment, other), (other, paper.environment)):
        made = ReleaseSet.objects.create(name=f"set {len(sets)}")
        for position, environment in enumerate(places, 1):
            ReleaseSetItem.objects.create(
                release_set=made,
                position=position,
                pipeline=paper.pipeline,
                environment=environment,
            )
        sets.append(made)

    def start(which: ReleaseSet) -> Callable[[], Any]:
        return lambda: start_set(actor=paper.user, release_set=which, reason="June")

    assert together(*map(start, sets)) == ["done", "goes_on"]
    assert SetRun.objects.count() == 1
