"""The pages of agents and enrolment tokens, and the card of the home page."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Agent, EnrolmentToken, Host, HostGroup
from cmdb.services import tokens
from tests.cmdb.conftest import Enrol, fall_silent
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
ADD = "/cmdb/enrolment-tokens/add/"


def test_a_token_is_shown_once_and_kept_as_a_hash(client_of: Any, admin: User) -> None:
    client: Client = client_of(admin)
    assert client.get(ADD).status_code == 200
    answer = client.post(ADD, {"name": "rack 1", "use_limit": 3, "days": 2})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    plain = answer.context["plain"]
    assert plain in answer.content.decode()
    row = EnrolmentToken.objects.get()
    assert tokens.find(plain) == row
    assert (row.use_limit, row.name) == (3, "rack 1")
    secret = plain.partition(".")[2]
    for page in (row.get_absolute_url(), "/cmdb/enrolment-tokens/"):
        assert secret not in client.get(page).content.decode()
    assert secret not in str(list(AuditEntry.objects.values()))
    assert AuditEntry.objects.get(verb="enrolmenttoken.create").actor == admin


@pytest.mark.parametrize("sent", [{}, {"name": "x", "use_limit": 0, "days": 1}])
def test_a_token_without_sense_is_refused(
    client_of: Any, admin: User, sent: Any
) -> None:
    assert client_of(admin).post(ADD, sent).status_code == 422
    assert not EnrolmentToken.objects.exists()


def test_a_scoped_user_makes_tokens_for_that_group_only(
    client_of: Any, group: HostGroup
) -> None:
    perms = ["cmdb.add_enrolmenttoken", "cmdb.view_hostgroup"]
    client = client_of(make_user(perms=perms, groups=[group]))
    sent = {"name": "x", "use_limit": 1, "days": 1}
    assert client.post(ADD, sent).status_code == 422
    assert client.post(ADD, sent | {"group": group.pk}).status_code == 200


def test_a_revoked_token_enrols_nobody(client_of: Any, admin: User, token: str) -> None:
    row = EnrolmentToken.objects.get()
    answer = client_of(admin).post(f"/cmdb/enrolment-tokens/{row.pk}/revoke/")
    assert answer.status_code == 302
    assert not EnrolmentToken.objects.usable().exists()
    assert AuditEntry.objects.filter(verb="enrolmenttoken.revoke").count() == 1


def test_an_agent_is_revoked_on_its_page(
    client_of: Any, admin: User, enrol: Enrol
) -> None:
    agent, _secret = enrol()
    page = f"/cmdb/agents/{agent.pk}/revoke/"
    client = client_of(admin)
    assert client.get(page).status_code == 405
    assert client.post(page).status_code == 302
    agent.refresh_from_db()
    assert agent.state == "idle"
    assert "revoked" in client.get("/cmdb/agents/").content.decode()


def test_one_who_only_sees_an_agent_cannot_revoke_it(
    client_of: Any, enrol: Enrol, group: HostGroup
) -> None:
    agent, _secret = enrol()
    agent.host.groups.add(group)
    page = f"/cmdb/agents/{agent.pk}/revoke/"
    looker = make_user(perms=["cmdb.view_agent"])
    assert client_of(looker).post(page).status_code == 403
    elsewhere = make_user(perms=["cmdb.view_agent"])
    from_other = make_user(
        perms=["cmdb.change_agent", "cmdb.view_agent"],
        groups=[HostGroup.objects.create(name="o")],
    )
    assert client_of(elsewhere).post(page).status_code == 403
    assert client_of(from_other).post(page).status_code == 404
    agent.refresh_from_db()
    assert agent.revoked_at is None


def test_a_discovered_host_is_joined_with_one_entered_by_hand(
    client_of: Any, admin: User, enrol: Enrol
) -> None:
    by_hand = make_host("web-one")
    agent, _secret = enrol()
    page = f"/cmdb/agents/{agent.pk}/link/"
    client = client_of(admin)
    assert "web-one" in client.get(page).content.decode()
    assert client.post(page, {}).status_code == 422
    assert client.post(page, {"host": agent.host_id}).status_code == 422
    assert client.post(page, {"host": by_hand.pk}).status_code == 302
    assert Host.objects.get() == by_hand
    agent.refresh_from_db()
    assert agent.host == by_hand


@pytest.mark.parametrize(
    ("state", "wanted"), [("reporting", 1), ("silent", 1), ("revoked", 1), ("", 3)]
)
def test_agents_are_filtered_by_state(
    client_of: Any, admin: User, enrol: Enrol, state: str, wanted: int
) -> None:
    made = [enrol({}, boot_id=f"b{number}")[0] for number in range(3)]
    fall_silent(made[1])
    Agent.objects.filter(pk=made[2].pk).update(revoked_at="2026-01-01T00:00:00Z")
    answer = client_of(admin).get("/cmdb/agents/", {"state": state})
    assert answer.context["total"] == wanted


def test_the_card_of_an_empty_portal_says_how_to_begin(
    client_of: Any, admin: User
) -> None:
    text = client_of(admin).get("/cmdb/card/").content.decode()
    assert "curl -fsS http://testserver/agent/install.sh | ADMINSET_ENROLL" in text


def test_the_card_counts_what_the_user_sees(
    client_of: Any, operator: User, enrol: Enrol, group: HostGroup
) -> None:
    agent, _secret = enrol()
    fall_silent(agent)
    agent.host.groups.add(group)
    make_host("elsewhere")
    answer = client_of(operator).get("/cmdb/card/")
    values = [tile["value"] for tile in answer.context["tiles"]]
    assert values[:2] == [1, 1]
    assert "elsewhere" not in answer.content.decode()
