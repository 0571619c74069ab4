"""Pages of access show every field they save, and say what is known before somebody decides."""

from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from adminset import maintenance, scopes
from cmdb.models import Agent

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


def page_of(client: Client, address: str) -> BeautifulSoup:
    """Open a page and read it."""
    answer = client.get(address)
    assert answer.status_code == 200
    return BeautifulSoup(answer.content, "html.parser")


def test_editing_a_role_keeps_that_it_asks_for_a_second_factor(
    client_of: Signed, admin: User
) -> None:
    role = Role.objects.create(name="night shift", requires_second_factor=True)
    page = page_of(client_of(admin), reverse("accounts:role_edit", args=[role.pk]))
    box = page.select_one("[name=requires_second_factor]")
    assert box is not None
    assert box.has_attr("checked")


@pytest.mark.parametrize("noun", ["grant", "groupmapping"])
def test_the_form_of_where_something_holds_offers_every_kind_of_scope(
    client_of: Signed, admin: User, noun: str
) -> None:
    page = page_of(client_of(admin), reverse(f"accounts:{noun}_add"))
    names = {field["name"] for field in page.select("main [name]")}
    assert {"role", "everything"} <= names
    assert {kind.field_name for kind in scopes.all_kinds()} <= names


def test_a_waiting_agent_shows_what_it_says_of_itself_as_plain_text(
    client_of: Signed, admin: User
) -> None:
    claims = {"hostname": "<b>web-new</b>", "memory_bytes": 8 * 1024**3}
    agent = Agent.objects.create(approved_at=None, claims=claims)
    page = page_of(client_of(admin), reverse("cmdb:agent_detail", args=[agent.pk]))
    facts = page.select_one("main .facts")
    assert facts is not None
    assert "<b>web-new</b>" in facts.get_text()
    assert "8 GiB" in facts.get_text()
    listed = page_of(client_of(admin), f"{reverse('cmdb:agent_list')}?state=waiting")
    assert "<b>web-new</b>" in listed.get_text()


def test_whoever_is_turned_away_by_maintenance_finds_the_door(
    client: Client, admin: User
) -> None:
    maintenance.switch(actor=admin, on=True)
    answer = client.get(reverse("cmdb:host_list"))
    maintenance.switch(actor=admin, on=False)
    assert answer.status_code == 503
    assert f'href="{reverse("accounts:sign_in")}"' in answer.content.decode()
