"""Who enrols: from which networks, and the waiting list of agents that a person lets in or turns away."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.errors import Conflict, DomainError
from adminset.models import AuditEntry
from cmdb.models import Agent, Host
from cmdb.services import admission, agents
from tests.cmdb.conftest import SETUP, an_identity, some_facts
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


def _enrol(address: str = "10.1.2.3", **token: Any) -> tuple[Agent, str]:
    _row, plain = agents.create_enrolment_token(
        actor=SETUP, name="edge", use_limit=5, **token
    )
    return agents.enrol(
        plain_token=plain,
        identity=an_identity(),
        facts=some_facts(),
        boot_id="b1",
        address=address,
    )


def test_a_token_lets_in_agents_of_its_networks_only() -> None:
    with pytest.raises(DomainError) as refused:
        _enrol("192.0.2.7", networks=["10.0.0.0/8"])
    assert (refused.value.status, refused.value.code) == (403, "network_refused")
    assert not Agent.objects.exists()
    assert not Host.objects.exists()
    assert AuditEntry.objects.filter(verb="agent.refuse").count() == 1
    agent, _secret = _enrol("10.9.9.9", networks=["10.0.0.0/8"])
    assert agent.host is not None


def test_the_portal_lets_in_agents_of_its_enrolment_networks_only(
    settings: Any,
) -> None:
    settings.ENROL_NETWORKS = ["10.0.0.0/8"]
    with pytest.raises(DomainError):
        _enrol("192.0.2.7")
    assert not Agent.objects.exists()


def test_a_waiting_agent_has_no_host_and_is_told_to_come_again() -> None:
    agent, secret = _enrol(needs_approval=True)
    assert agent.is_waiting
    assert agent.host is None
    assert not Host.objects.exists()
    with pytest.raises(DomainError) as told:
        agents.authenticate(agent.public_id, secret)
    assert (told.value.status, told.value.code) == (503, "waiting_for_approval")
    assert told.value.retry_after
    with pytest.raises(DomainError) as wrong:
        agents.authenticate(agent.public_id, "guess")
    assert wrong.value.status == 403


def test_a_waiting_agent_does_not_push_out_the_one_that_reports() -> None:
    first, _secret = _enrol()
    Agent.objects.filter(pk=first.pk).update(last_seen_at=None)
    _enrol(needs_approval=True)
    first.refresh_from_db()
    assert first.revoked_at is None
    assert first.host is not None


def test_letting_in_gives_the_agent_its_host(client_of: Signed, admin: User) -> None:
    group = make_group("edge")
    agent, secret = _enrol(needs_approval=True, group=group)
    answer = client_of(admin).post(f"/cmdb/agents/{agent.pk}/admit/")
    assert answer.status_code == 302
    host = Host.objects.get()
    assert (host.hostname, list(host.groups.all())) == ("web-1", [group])
    assert host.identifiers.exists()
    assert agents.authenticate(agent.public_id, secret).host_id == host.pk
    line = AuditEntry.objects.get(verb="agent.admit")
    assert (line.actor, line.target_id) == (admin, str(agent.pk))


def test_turning_away_ends_it_for_good(client_of: Signed, admin: User) -> None:
    agent, secret = _enrol(needs_approval=True)
    client_of(admin).post(f"/cmdb/agents/{agent.pk}/refuse/")
    with pytest.raises(DomainError) as told:
        agents.authenticate(agent.public_id, secret)
    assert told.value.status == 401
    assert not Host.objects.exists()
    assert AuditEntry.objects.filter(verb="agent.turn_away").count() == 1
    with pytest.raises(Conflict):
        admission.admit(actor=admin, agent=agent)


def test_a_machine_that_still_reports_is_not_let_in_twice(admin: User) -> None:
    _enrol()
    agent, _secret = _enrol(needs_approval=True)
    with pytest.raises(Conflict):
        admission.admit(actor=admin, agent=agent)
    agent.refresh_from_db()
    assert agent.is_waiting
    assert Host.objects.count() == 1


def test_who_looks_after_a_group_decides_on_the_agents_of_its_tokens_only(
    client_of: Signed,
) -> None:
    mine, other = make_group("mine"), make_group("other")
    manager = make_user(
        perms=["cmdb.view_agent", "cmdb.change_agent", "cmdb.view_host"], groups=[mine]
    )
    here, _secret = _enrol(needs_approval=True, group=mine)
    there, _secret = _enrol(needs_approval=True, group=other)
    nowhere, _secret = _enrol(needs_approval=True)
    browser = client_of(manager)
    listed = browser.get("/cmdb/agents/?state=waiting").content.decode()
    assert here.public_id in listed
    assert there.public_id not in listed
    for agent in (there, nowhere):
        assert browser.post(f"/cmdb/agents/{agent.pk}/admit/").status_code == 404
    assert browser.post(f"/cmdb/agents/{here.pk}/admit/").status_code == 302
    assert Host.objects.count() == 1


def test_the_home_card_says_how_many_wait(client_of: Signed, admin: User) -> None:
    browser = client_of(admin)
    make_host()
    assert "Agents to let in" not in browser.get("/cmdb/card/").content.decode()
    _enrol(needs_approval=True)
    assert "Agents to let in" in browser.get("/cmdb/card/").content.decode()


def test_the_token_form_takes_networks_and_says_which_is_none(
    client_of: Signed, admin: User
) -> None:
    browser = client_of(admin)
    sent = {"name": "edge", "use_limit": 3, "days": 1, "networks": "10.0.0.1/8"}
    wrong = browser.post("/cmdb/enrolment-tokens/add/", sent)
    assert wrong.status_code == 422
    assert "10.0.0.1/8 is not a network" in wrong.content.decode()
    sent |= {"networks": "10.0.0.0/8\n192.0.2.7", "needs_approval": "on"}
    assert browser.post("/cmdb/enrolment-tokens/add/", sent).status_code == 200
    line = AuditEntry.objects.get(verb="enrolmenttoken.create")
    said = {change["field"]: change["new"] for change in line.changes}
    assert said["networks"] == ["10.0.0.0/8", "192.0.2.7"]
    assert said["needs_approval"] is True
