"""Faults that a review found once: they stay mended."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from cmdb.models import Credential, Host, HostGroup, Idc
from monitor.fleet import FleetQuery, fleet
from monitor.store import MetricStore
from tests.factories import make_group, make_host, make_user

Signed = Callable[[User], Client]
JSON = "application/json"
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("change", [{"address": "203.0.113.66"}, {"ssh_port": 2222}])
def test_a_stored_credential_is_not_sent_to_an_address_of_somebodys_choice(
    client_of: Signed, group: HostGroup, change: dict[str, object]
) -> None:
    editor = make_user(
        perms=["cmdb.view_host", "cmdb.change_host", "cmdb.view_idc"], groups=[group]
    )
    login = Credential.objects.create(name="root", username="root", password="x")
    host = make_host("web1", groups=[group], credential=login, address="10.0.0.1")
    answer = client_of(editor).patch(
        f"/api/v1/hosts/{host.pk}/", change, content_type=JSON
    )
    assert answer.status_code == 422
    kept = Host.objects.get(pk=host.pk)
    assert (kept.address, kept.ssh_port) == ("10.0.0.1", None)


def test_one_who_may_add_but_not_see_gets_an_answer(client_of: Signed) -> None:
    client = client_of(make_user(perms=["cmdb.add_idc"]))
    answer = client.post(
        "/api/v1/idcs/", {"name": "Beijing", "code": "bj"}, content_type=JSON
    )
    assert answer.status_code < 500
    assert Idc.objects.count() == (1 if answer.status_code == 201 else 0)


@pytest.mark.parametrize(
    "query", ["page=" + "9" * 5000, "per_page=" + "9" * 5000, "page=\u0665"]
)
def test_numbers_of_any_length_are_no_fault_of_the_server(
    client_of: Signed, admin: User, query: str
) -> None:
    assert client_of(admin).get(f"/cmdb/hosts/?{query}").status_code == 200


def test_a_key_of_thirty_digits_is_refused_in_words(
    client_of: Signed, admin: User
) -> None:
    answer = client_of(admin).post("/cmdb/hosts/bulk-delete/", {"pk": "9" * 30})
    assert answer.status_code == 422


def test_the_fleet_cannot_be_asked_for_a_group_out_of_scope(
    operator: User, group: HostGroup, measurements: MetricStore
) -> None:
    other = make_group("other")
    make_host("web1", groups=[group, other])
    _page, rows = fleet(operator, FleetQuery(group=str(other.pk)))
    _page, known = fleet(operator, FleetQuery(group=str(group.pk)))
    assert len(known) == 1
    _page, nonsense = fleet(operator, FleetQuery(group="9" * 30))
    assert (list(rows), list(nonsense)) == ([], [])
