"""What release runs and requests for deploys say names no host that the reader does not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from delivery.models import Deploy, DeployRequest, SetPart, SetRun
from delivery.releasesets.advance import advance
from delivery.triggers.wishing import wish
from tests.app_factories import grant_on
from tests.delivery.factories import make_deploy
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.trigger_things import make_follow_up, make_schedule
from tests.factories import make_user
from tests.tasks.run_api.api_things import token_of

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
HIDDEN = "(a host outside your scope)"
MAY = (
    "delivery.view_setrun",
    "delivery.view_deploy",
    "delivery.add_deploy",
    "delivery.view_deployschedule",
    "delivery.view_followup",
)


@pytest.fixture
def reader(paper: Paper) -> User:
    """Sees the project, and none of its hosts."""
    made = make_user("reader")
    grant_on(made, MAY, paper.pipeline.project)
    return made


def refused(paper: Paper, key: str) -> DeployRequest:
    """Write down a request that was refused because of a host."""
    row = wish(
        actor=paper.user,
        key=key,
        pipeline=paper.pipeline,
        environment=paper.environment,
        trigger=Deploy.Trigger.API,
    )
    row.state, row.words = "refused", f"{paper.hosts[0].hostname} has no login"
    row.save()
    return row


@pytest.fixture
def failed(paper: Paper) -> SetRun:
    """A release run of which one part failed on a host, and one was refused because of a host."""
    made = SetRun.objects.create(name="spring", requested_by=paper.user)
    place: dict[str, Any] = {
        "pipeline": paper.pipeline,
        "environment": paper.environment,
    }
    deploy = make_deploy(
        paper.environment,
        pipeline=paper.pipeline,
        status="failed",
        explanation=f"{paper.hosts[1].hostname} is full",
    )
    row = wish(actor=paper.user, key="set:1", trigger=Deploy.Trigger.SET, **place)
    row.state, row.deploy = "made", deploy
    row.save()
    made.parts.create(position=1, state="going", request=row, **place)
    made.parts.create(
        position=2, state="stuck", back_request=refused(paper, "set:2"), **place
    )
    advance(made.pk)
    made.refresh_from_db()
    assert paper.hosts[1].hostname in made.explanation
    assert paper.hosts[1].hostname in made.parts.get(position=1).words
    return made


def test_a_release_run_names_them_to_who_sees_them_only(
    client_of: Signed, paper: Paper, reader: User, failed: SetRun
) -> None:
    pages = (f"{failed.get_absolute_url()}", f"{failed.get_absolute_url()}panel/")
    for path in pages:
        told = client_of(reader).get(path).content.decode()
        assert HIDDEN in told
        assert not [host for host in paper.hosts if host.hostname in told], path
    told = client_of(paper.user).get(pages[0]).content.decode()
    assert all(host.hostname in told for host in paper.hosts[:2])
    assert HIDDEN not in told


def test_programs_are_told_no_more(paper: Paper, reader: User, failed: SetRun) -> None:
    client = Client(headers={"Authorization": f"Bearer {token_of(reader)}"})
    request = failed.parts.get(position=2).back_request_id
    paths = (
        f"/api/v1/release-sets/runs/{failed.pk}/",
        f"/api/v1/deploy-requests/{request}/",
    )
    for path in paths:
        answered = client.get(path)
        assert answered.status_code == 200, path
        told = answered.content.decode()
        assert HIDDEN in told
        assert not [host for host in paper.hosts if host.hostname in told], path
    kept = SetPart.objects.get(position=1)
    assert paper.hosts[1].hostname in kept.words


def test_a_host_that_left_the_environment_meanwhile_is_not_named_either(
    client_of: Signed, paper: Paper, reader: User, failed: SetRun
) -> None:
    paper.environment.environmenthost_set.all().delete()
    told = client_of(reader).get(failed.get_absolute_url()).content.decode()
    assert paper.hosts[1].hostname not in told


def test_what_triggers_were_refused_names_no_hidden_host(
    client_of: Signed, paper: Paper, reader: User
) -> None:
    schedule, rule = make_schedule(paper), make_follow_up(paper, paper.environment)
    row = refused(paper, "schedule:1")
    schedule.times.create(planned_at=row.created_at, state="asked", request=row)
    followed = refused(paper, "after:1")
    DeployRequest.objects.filter(pk=followed.pk).update(follow_up=rule)
    for path in (
        f"{schedule.get_absolute_url()}?tab=results",
        f"{rule.get_absolute_url()}?tab=followed",
    ):
        told = client_of(reader).get(path).content.decode()
        assert HIDDEN in told, path
        assert paper.hosts[0].hostname not in told, path
        whole = client_of(paper.user).get(path).content.decode()
        assert paper.hosts[0].hostname in whole, path


def test_what_their_deploys_wait_for_names_no_hidden_host_either(
    client_of: Signed, paper: Paper, reader: User
) -> None:
    host = paper.hosts[2].hostname
    deploy = make_deploy(
        paper.environment,
        pipeline=paper.pipeline,
        status="paused",
        waiting_for=f"{host}: permission denied. Retry the stage, or cancel.",
    )
    place: dict[str, Any] = {
        "pipeline": paper.pipeline,
        "environment": paper.environment,
    }
    row = wish(actor=paper.user, key="set:3", trigger=Deploy.Trigger.SET, **place)
    row.state, row.deploy = "made", deploy
    row.save()
    run = SetRun.objects.create(name="spring", requested_by=paper.user)
    run.parts.create(position=1, state="going", request=row, **place)
    schedule, rule = make_schedule(paper), make_follow_up(paper, paper.environment)
    schedule.times.create(planned_at=row.created_at, state="asked", request=row)
    DeployRequest.objects.filter(pk=row.pk).update(follow_up=rule)
    for path in (
        run.get_absolute_url(),
        f"{schedule.get_absolute_url()}?tab=results",
        f"{rule.get_absolute_url()}?tab=followed",
    ):
        told = client_of(reader).get(path).content.decode()
        assert f"{HIDDEN}: permission denied" in told, path
        assert host not in told, path
        assert host in client_of(paper.user).get(path).content.decode(), path
