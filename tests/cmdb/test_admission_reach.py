"""What a machine says of itself proves nothing: who lets it in gives it no host that he does not look after."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.errors import Conflict, DomainError
from adminset.models import AuditEntry
from cmdb.models import Agent, EnrolmentToken, Host, HostGroup
from cmdb.services import admission, agents
from cmdb.services.groups import delete_group
from tests.cmdb.conftest import (
    MACHINE_ID,
    SETUP,
    an_identity,
    fall_silent,
    some_facts,
)
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
CLAIM = {"machine_id": MACHINE_ID}


def enrol(group: HostGroup | None, identity: Any = None, **token: Any) -> Agent:
    """Enrol a machine with a token of a group."""
    _row, plain = agents.create_enrolment_token(
        actor=SETUP, name="t", use_limit=5, group=group, **token
    )
    agent, _secret = agents.enrol(
        plain_token=plain,
        identity=identity or CLAIM,
        facts=some_facts(hostname="taken-over"),
        boot_id="b2",
        address="10.1.2.3",
    )
    return agent


@pytest.fixture
def theirs(other_group: HostGroup) -> Host:
    """A silent host of the other group, with its agent."""
    old = enrol(other_group, an_identity())
    Host.objects.update(hostname="db-1")
    fall_silent(old)
    return Host.objects.get()


def untouched(host: Host) -> bool:
    """Say whether a host has its name and its agent still."""
    host.refresh_from_db()
    old = Agent.objects.get(host=host)
    taken = AuditEntry.objects.filter(verb__in=["host.relink", "agent.revoke"])
    return host.hostname == "db-1" and old.revoked_at is None and not taken.exists()


@pytest.fixture
def manager(group: HostGroup) -> User:
    """Lets agents in, in one group."""
    perms = ["cmdb.view_agent", "cmdb.change_agent", "cmdb.view_host"]
    return make_user("manager", perms=perms, groups=[group])


def test_a_token_of_another_group_takes_over_no_host_but_lets_the_agent_wait(
    theirs: Host, group: HostGroup
) -> None:
    agent = enrol(group)
    assert agent.is_waiting
    assert agent.host is None
    assert untouched(theirs)
    assert Host.objects.count() == 1
    line = AuditEntry.objects.get(verb="agent.wait")
    assert "others look after" in line.reason
    assert "db-1" not in line.reason


def test_the_wire_answers_as_to_any_agent_that_waits(
    theirs: Host, group: HostGroup, client: Client
) -> None:
    _row, plain = agents.create_enrolment_token(actor=SETUP, name="t", group=group)
    body = {"identity": CLAIM, "boot_id": "b", "sent_at": time.time(), "facts": {}}
    answer = client.post(
        "/api/agent/v1/enroll",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {plain}"},
    )
    assert answer.status_code == 201
    given = answer.json()
    report = client.post(
        "/api/agent/v1/facts",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {given['agent_id']}.{given['secret']}"},
    )
    assert (report.status_code, report.json()["error"]["code"]) == (
        503,
        "waiting_for_approval",
    )
    assert report["Retry-After"]
    assert untouched(theirs)


def test_a_first_report_that_is_sent_again_waits_as_the_same_agent(
    theirs: Host, group: HostGroup
) -> None:
    _row, plain = agents.create_enrolment_token(actor=SETUP, name="t", group=group)
    for _twice in range(2):
        agents.enrol(
            plain_token=plain, identity=CLAIM, facts={}, boot_id="b", address="::1"
        )
    assert Agent.objects.waiting().count() == 1
    assert untouched(theirs)


def test_a_token_of_the_hosts_own_group_or_of_none_finds_it_again(
    theirs: Host, other_group: HostGroup
) -> None:
    agent = enrol(other_group)
    assert agent.host == theirs
    fall_silent(agent)
    assert enrol(None).host == theirs


def test_a_manager_of_one_group_lets_in_no_agent_that_says_it_is_anothers_host(
    client_of: Signed, theirs: Host, group: HostGroup, manager: User
) -> None:
    agent = enrol(group, needs_approval=True)
    browser = client_of(manager)
    page = browser.get(agent.get_absolute_url()).content.decode()
    assert "others look after" in page
    answer = browser.post(f"/cmdb/agents/{agent.pk}/admit/")
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "others look after" in text
    assert "db-1" not in page + text
    agent.refresh_from_db()
    assert agent.is_waiting
    assert untouched(theirs)


def test_somebody_who_looks_after_both_groups_lets_it_in_and_sees_before_what_it_is(
    client_of: Signed, theirs: Host, group: HostGroup, other_group: HostGroup
) -> None:
    perms = ["cmdb.view_agent", "cmdb.change_agent", "cmdb.view_host"]
    both = client_of(make_user(perms=perms, groups=[group, other_group]))
    agent = enrol(group)
    page = both.get(agent.get_absolute_url()).content.decode()
    assert "it speaks for db-1" in page
    assert both.post(f"/cmdb/agents/{agent.pk}/admit/").status_code == 302
    agent.refresh_from_db()
    assert agent.host == theirs
    assert AuditEntry.objects.filter(verb="host.relink").count() == 1


def test_a_live_host_of_others_is_not_named(
    client_of: Signed, theirs: Host, group: HostGroup, manager: User
) -> None:
    waiting = enrol(group, needs_approval=True)
    fresh = enrol(None)
    assert fresh.host == theirs
    with pytest.raises(Conflict) as refused:
        enrol(group)
    assert (refused.value.status, refused.value.code) == (409, "clone_suspected")
    assert "taken-over" not in f"{refused.value.message} {refused.value.hint}"
    with pytest.raises(Conflict) as again:
        admission.admit(actor=manager, agent=waiting)
    assert "taken-over" not in f"{again.value.message} {again.value.hint}"


def test_weak_evidence_still_makes_a_new_host_of_the_group(
    theirs: Host, group: HostGroup
) -> None:
    agent = enrol(group, {"serial": an_identity()["serial"]})
    assert agent.host is not None
    assert agent.host != theirs
    assert list(agent.host.groups.all()) == [group]
    assert untouched(theirs)


def test_the_tokens_of_a_group_end_with_it(
    theirs: Host, group: HostGroup, admin: User
) -> None:
    _row, plain = agents.create_enrolment_token(actor=SETUP, name="t", group=group)
    delete_group(actor=admin, instance=group)
    assert not EnrolmentToken.objects.usable().filter(name="t", group=None).exists()
    with pytest.raises(DomainError) as refused:
        agents.enrol(
            plain_token=plain, identity=CLAIM, facts={}, boot_id="b", address="::1"
        )
    assert (refused.value.status, refused.value.code) == (401, "bad_enrolment_token")
    assert untouched(theirs)
    assert AuditEntry.objects.filter(verb="enrolmenttoken.revoke", actor=admin).exists()
