"""Before a set is started its page shows what each part would do: to which hosts, from which release, to which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset import calling
from delivery.asked import answerers
from delivery.asked.answering import answer
from delivery.models import Deploy, DeployRequest, ReleaseSet, SetRun
from tests.app_factories import grant_on, make_environment
from tests.delivery.factories import make_live
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keep the keys of questions for which a worker was called."""
    keys: list[str] = []

    def send(task: str, *args: Any, queue: str) -> bool:
        keys.append(args[0])
        return True

    monkeypatch.setattr(calling, "send", send)
    answerers.join()
    return keys


@pytest.fixture
def spring(paper: Paper) -> ReleaseSet:
    """A set of one part, to three hosts of which two run one release and nothing is known of the third."""
    made = ReleaseSet.objects.create(name="spring")
    made.places.create(
        position=1, pipeline=paper.pipeline, environment=paper.environment, ref="main"
    )
    for host in paper.hosts[:2]:
        make_live(paper.environment, host, "7-0123abcd")
    return made


def fragment(client: Client, row: ReleaseSet, key: str = "", position: int = 1) -> Any:
    path = f"/delivery/release-sets/{row.pk}/plans/{position}/"
    return client.get(path, {"key": key} if key else {})


def test_each_part_says_hosts_from_and_to_once_a_worker_has_made_its_plan(
    client_of: Signed, paper: Paper, spring: ReleaseSet, waiting: list[str]
) -> None:
    client = client_of(paper.user)
    page = client.get(f"/delivery/release-sets/{spring.pk}/start/").content.decode()
    assert f"/delivery/release-sets/{spring.pk}/plans/1/" in page
    first = fragment(client, spring).content.decode()
    assert f"?key={waiting[0]}" in first
    assert "hx-trigger" in first
    assert "7-0123abcd" not in first
    answer(waiting[0])
    told = fragment(client, spring, waiting[0]).content.decode()
    assert "3 hosts" in told
    assert "7-0123abcd" in told
    assert "(2)" in told
    assert "nothing known" in told
    assert "is built first" in told
    assert all(host.hostname in told for host in paper.hosts)
    assert "hx-trigger" not in told
    # Loaded again at once, without a key: the same plan.
    assert "7-0123abcd" in fragment(client, spring).content.decode()
    assert len(waiting) == 1
    assert not SetRun.objects.exists()
    assert not DeployRequest.objects.exists()
    assert not Deploy.objects.exists()


def test_a_part_that_cannot_be_planned_says_why(
    client_of: Signed, paper: Paper, spring: ReleaseSet, waiting: list[str]
) -> None:
    spring.places.update(ref="no-such")
    client = client_of(paper.user)
    fragment(client, spring)
    answer(waiting[0])
    told = fragment(client, spring, waiting[0]).content.decode()
    assert "no-such" in told
    assert "no plan" in told


def test_the_plan_of_another_place_or_of_before_a_change_is_made_anew(
    client_of: Signed, paper: Paper, spring: ReleaseSet, waiting: list[str]
) -> None:
    client = client_of(paper.user)
    fragment(client, spring)
    answer(waiting[0])
    spring.places.update(ref="other")
    assert "7-0123abcd" not in fragment(client, spring, waiting[0]).content.decode()
    assert len(waiting) == 2
    assert fragment(client, spring, position=2).status_code == 404


def test_who_may_not_deliver_or_does_not_see_the_set_gets_no_plan(
    client_of: Signed, paper: Paper, spring: ReleaseSet, waiting: list[str]
) -> None:
    looks = make_user("looks")
    grant_on(looks, ["delivery.view_releaseset"], paper.pipeline.project)
    assert fragment(client_of(looks), spring).status_code == 403
    other = make_user("other")
    grant_on(
        other,
        ["delivery.view_releaseset", "delivery.add_deploy"],
        make_environment().project,
    )
    assert fragment(client_of(other), spring).status_code == 404
    assert waiting == []
