"""An object as it was on a day: every kind of field goes back, names out of scope stay out, what was not yet is said."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminset import audit
from adminset.crud.past import past_of
from adminset.models import AuditEntry
from cmdb.models import Credential, Host, HostGroup
from tests.factories import make_group, make_host, make_idc

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
JSON = "application/json"


def change(client: Client, host: Host, **values: Any) -> None:
    answer = client.patch(f"/api/v1/hosts/{host.pk}/", values, content_type=JSON)
    assert answer.status_code == 200, answer.json()


def test_every_kind_of_field_is_as_it_was(client_of: Signed, admin: User) -> None:
    one, two = make_group("one"), make_group("two")
    host = make_host(
        "web1",
        owner="Li Wei",
        groups=[one],
        idc=make_idc("Beijing"),
        ssh_port=22,
        warranty_until=date(2027, 1, 31),
        custom={"rack": "A"},
    )
    moment, before = timezone.now(), audit.snapshot(Host.objects.get())
    client = client_of(admin)
    change(client, host, owner="x", groups=[two.pk], idc=make_idc("Shanghai").pk)
    change(client, host, hostname="web2", ssh_port=2222, warranty_until="2030-01-01")
    change(client, host, owner="y", kind="virtual")
    host = Host.objects.get()
    told = audit.snapshot(host)
    Host.objects.update(custom={"rack": "B"})
    entry = audit.changed(told, audit.snapshot(Host.objects.get()))
    audit.record(admin, "host.update", host, changes=entry)
    past = past_of(Host.objects.get(), moment)
    del before["locked_fields"], past.values["locked_fields"]
    assert past.values == before
    assert past.undone == 4
    page = client.get(
        reverse("cmdb:host_past", args=[host.pk]), {"on": moment.isoformat()}
    ).content.decode()
    for word in ("Li Wei", "Beijing", "web1", "one", "physical", "virtual", "Shanghai"):
        assert word in page


def test_what_did_not_change_is_not_marked(client_of: Signed, admin: User) -> None:
    host = make_host(owner="Li Wei", notes="same")
    moment, client = timezone.now(), client_of(admin)
    change(client, host, owner="x")
    page = client.get(
        reverse("cmdb:host_past", args=[host.pk]), {"on": moment.isoformat()}
    )
    differing = {row["name"] for row in page.context["rows"] if row["differs"]}
    assert differing == {"owner"}


def test_before_it_was_made_there_was_no_such_object(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)
    values = {"hostname": "web1", "kind": "physical"}
    made = client.post("/api/v1/hosts/", values, content_type=JSON).json()
    page = client.get(
        reverse("cmdb:host_past", args=[made["id"]]), {"on": "2020-05-03"}
    )
    assert not page.context["past"].existed
    assert "no such object yet" in page.content.decode()


@pytest.mark.parametrize(
    "said", ["", "nonsense", "9" * 100, "2999-01-01", "0001-01-01"]
)
def test_any_text_for_the_moment_is_answered(
    client_of: Signed, admin: User, said: str
) -> None:
    host = make_host()
    address = reverse("cmdb:host_past", args=[host.pk])
    assert client_of(admin).get(address, {"on": said}).status_code == 200


def test_a_day_means_its_end(client_of: Signed, admin: User) -> None:
    client, host = client_of(admin), make_host(owner="a")
    change(client, host, owner="b")
    today = timezone.localdate().isoformat()
    page = client.get(reverse("cmdb:host_past", args=[host.pk]), {"on": today})
    assert page.context["past"].undone == 0


def test_names_out_of_scope_stand_in_no_past(
    client_of: Signed,
    admin: User,
    operator: User,
    group: HostGroup,
    other_group: HostGroup,
) -> None:
    host = make_host(groups=[group, other_group])
    moment = timezone.now()
    change(client_of(admin), host, groups=[group.pk])
    query = {"on": moment.isoformat()}
    page = client_of(operator).get(reverse("cmdb:host_past", args=[host.pk]), query)
    assert other_group.name not in page.content.decode()
    outside = make_host(groups=[other_group])
    page = client_of(operator).get(reverse("cmdb:host_past", args=[outside.pk]))
    assert page.status_code == 404


def test_a_secret_is_only_said_to_have_changed(client_of: Signed, admin: User) -> None:
    row = Credential.objects.create(name="root", username="root", password="hunter2x")
    moment, client = timezone.now(), client_of(admin)
    address = f"/api/v1/credentials/{row.pk}/"
    client.patch(address, {"password": "hunter3x"}, content_type=JSON)
    page = client.get(
        reverse("cmdb:credential_past", args=[row.pk]), {"on": moment.isoformat()}
    ).content.decode()
    assert "changed since" in page
    assert "hunter" not in page


def test_a_thousand_lines_cost_no_more_queries_than_one(
    client_of: Signed, admin: User, django_assert_max_num_queries: Any
) -> None:
    host, moment = make_host(owner="0"), timezone.now()
    for number in range(1000):
        told = {"field": "owner", "old": str(number), "new": str(number + 1)}
        audit.record(admin, "host.update", host, changes=[told])
    assert AuditEntry.objects.count() == 1000
    with django_assert_max_num_queries(8):
        past = past_of(Host.objects.get(), moment)
    assert past.values["owner"] == "0"
