"""Deploys in the inbox of approvals: there for who may decide them and for who asked, for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role, User
from cmdb.models import HostGroup
from delivery.engine.advance import advance
from delivery.models import Deploy
from delivery.pages.approving import waiting_for
from delivery.safety.approvals import decide, why_not
from tasks.models import Approval
from tasks.services.launch import RunSpec, request_run
from tests.app_factories import grant_on
from tests.delivery.pages.conftest import make_place
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_host, make_user
from tests.tasks.workflow_things import make_rule

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
INBOX = "/tasks/approvals/inbox/"
MAY = ("delivery.view_deploy", "delivery.decide_deploy")


@pytest.fixture
def deploy(paper: Paper) -> Deploy:
    return paper.ask(approvals_needed=1)


def text_of(client: Client, show: str = "waiting") -> str:
    answer = client.get(f"{INBOX}?show={show}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_deploy_waits_in_the_inbox_of_who_may_decide_it(
    client_of: Signed, deploy: Deploy
) -> None:
    text = text_of(client_of(make_user("ann", perms=MAY)))
    assert "Waiting for me (1)" in text
    assert f'href="{deploy.get_absolute_url()}"' in text
    assert "1 approval" in text


def test_who_asked_finds_it_as_asked_for_also_when_it_has_ended(
    client_of: Signed, paper: Paper, deploy: Deploy
) -> None:
    client = client_of(paper.user)
    text = text_of(client)
    assert "Waiting for me (0)" in text
    assert deploy.get_absolute_url() not in text
    decide(
        actor=make_user("ann", perms=MAY), deploy=deploy, yes=False, reason="not now"
    )
    advance(deploy.pk)
    text = text_of(client, "mine")
    assert deploy.get_absolute_url() in text
    assert "cancelled" in text


@pytest.mark.parametrize(
    "perms",
    [("delivery.decide_deploy",), ("delivery.view_deploy", "tasks.view_approval")],
)
def test_who_may_not_look_or_may_not_decide_finds_nothing_that_waits(
    client_of: Signed, deploy: Deploy, perms: tuple[str, ...]
) -> None:
    text = text_of(client_of(make_user("eve", perms=perms)))
    assert "Waiting for me (0)" in text
    assert deploy.get_absolute_url() not in text


def test_a_grant_on_another_project_shows_nothing(
    client_of: Signed, deploy: Deploy
) -> None:
    eve = make_user("eve")
    grant_on(eve, list(MAY), make_place("elsewhere").project)
    client = client_of(eve)
    for show in ("waiting", "mine", "decided"):
        assert deploy.get_absolute_url() not in text_of(client, show)


def test_without_any_of_the_permissions_the_inbox_is_closed(
    client_of: Signed, deploy: Deploy
) -> None:
    assert client_of(make_user("eve")).get(INBOX).status_code == 403


def test_what_is_decided_leaves_what_waits_and_stands_with_the_decided(
    client_of: Signed, deploy: Deploy
) -> None:
    ann, bob = make_user("ann", perms=MAY), make_user("bob", perms=MAY)
    decide(actor=ann, deploy=deploy, yes=True)
    assert "Waiting for me (0)" in text_of(client_of(ann))
    advance(deploy.pk)
    assert "Waiting for me (0)" in text_of(client_of(bob))
    assert deploy.get_absolute_url() in text_of(client_of(bob), "decided")


def test_it_lists_exactly_what_the_service_would_take(paper: Paper) -> None:
    asked = [
        paper.ask(approvals_needed=2, artefact=paper.artefact(n)) for n in (1, 2, 3)
    ]
    people = [make_user(name, perms=MAY) for name in ("ann", "bob")]
    people += [paper.user, make_user("eve", perms=MAY[:1])]
    decide(actor=people[0], deploy=asked[0], yes=True)
    Deploy.objects.filter(pk=asked[1].pk).update(requested_by=people[1])
    for named in (None, Role.objects.create(name="managers"), role_of(people[0])):
        paper.pipeline.approve_groups.set([named] if named else [])
        for user in people:
            taken = {row.pk for row in map(fresh, asked) if not why_not(user, row)}
            assert set(waiting_for(user).values_list("pk", flat=True)) == taken
    late = timezone.now() - timedelta(seconds=1)
    Deploy.objects.update(approve_until=late)
    assert not waiting_for(people[0]).exists()


def role_of(user: User) -> Role:
    return Role.objects.get(pk=user.grants.get().role_id)


def fresh(deploy: Deploy) -> Deploy:
    return Deploy.objects.get(pk=deploy.pk)


def test_runs_and_deploys_stand_in_one_list_what_ends_first_on_top(
    client_of: Signed, admin: User, deploy: Deploy, group: HostGroup
) -> None:
    boss = make_user(
        "boss", perms=[*MAY, "tasks.view_approval", "tasks.decide_approval"]
    )
    make_rule(boss)
    host = make_host("web1", groups=[group])
    request_run(actor=admin, spec=RunSpec(command="id", host_ids=(host.pk,)))
    approval = Approval.objects.get()
    Deploy.objects.update(approve_until=approval.expires_at + timedelta(hours=1))
    client = client_of(boss)
    text = text_of(client)
    assert "Waiting for me (2)" in text
    first = text.index(approval.get_absolute_url())
    assert first < text.index(deploy.get_absolute_url())
    Deploy.objects.update(approve_until=approval.expires_at - timedelta(hours=1))
    text = text_of(client)
    assert text.index(deploy.get_absolute_url()) < text.index(
        approval.get_absolute_url()
    )
