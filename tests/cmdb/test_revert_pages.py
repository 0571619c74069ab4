"""Reverts on pages: the plan, the deed, a worker for long ones; hostile texts stay texts."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset import audit, tasks
from adminset.crud import revert_job, revert_views
from adminset.models import AuditEntry
from cmdb.models import Credential, Host, HostGroup, Idc
from tests.factories import make_host, make_idc, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
HOSTILE = "<script>alert(1)</script>{{ 7*7 }}'\"&"
JSON = "application/json"


def edit(client: Client, host: Host, **values: Any) -> AuditEntry:
    """Change a host through the API, as one request, and give its line."""
    answer = client.patch(f"/api/v1/hosts/{host.pk}/", values, content_type=JSON)
    assert answer.status_code == 200, answer.json()
    return AuditEntry.objects.latest("pk")


def page_of(entry: AuditEntry, *, whole: bool = False) -> str:
    return reverse("request_revert" if whole else "change_revert", args=[entry.pk])


def test_the_history_offers_the_revert_and_the_page_does_it(
    client_of: Signed, admin: User
) -> None:
    client, host = client_of(admin), make_host(owner="Li Wei")
    entry = edit(client, host, owner="Wang Fang")
    history = client.get(reverse("cmdb:host_history", args=[host.pk])).content.decode()
    assert page_of(entry) in history
    assert page_of(entry, whole=True) in history
    plan = client.get(page_of(entry)).content.decode()
    assert "Wang Fang" in plan
    assert "Li Wei" in plan
    assert Host.objects.get().owner == "Wang Fang"
    answer = client.post(page_of(entry), {"reason": "too early"})
    assert answer["Location"] == reverse("cmdb:host_history", args=[host.pk])
    assert Host.objects.get().owner == "Li Wei"
    line = AuditEntry.objects.latest("pk")
    assert line.verb == "host.revert"
    assert line.reason.endswith("too early")
    assert line.actor == admin


def test_the_line_of_the_trail_offers_it_too(client_of: Signed, admin: User) -> None:
    client = client_of(admin)
    entry = edit(client, make_host(), owner="x")
    page = client.get(reverse("accounts:audit_detail", args=[entry.pk]))
    assert page_of(entry) in page.content.decode()
    signed_in = audit.record(admin, "session.start")
    page = client.get(reverse("accounts:audit_detail", args=[signed_in.pk]))
    assert "revert" not in page.content.decode()


def test_a_conflict_is_shown_with_who_and_nothing_changes(
    client_of: Signed, admin: User
) -> None:
    client, host = client_of(admin), make_host(owner="first")
    entry = edit(client, host, owner="second")
    edit(client_of(make_user("zhang", is_superuser=True)), host, owner="third")
    page = client.get(page_of(entry))
    assert "zhang" in page.content.decode()
    assert b'name="reason"' not in page.content
    assert client.post(page_of(entry)).status_code == 409
    assert Host.objects.get().owner == "third"


def test_a_deletion_is_taken_back_from_the_trail(
    client_of: Signed, admin: User
) -> None:
    client, idc = client_of(admin), make_idc("Beijing")
    client.post(reverse("cmdb:idc_delete", args=[idc.pk]))
    entry = AuditEntry.objects.get(verb="idc.delete")
    assert client.get(page_of(entry)).status_code == 200
    client.post(page_of(entry))
    assert Idc.objects.get(name="Beijing").pk == idc.pk


@pytest.mark.parametrize("whole", [False, True])
def test_who_may_not_see_the_object_gets_no_page(
    client_of: Signed,
    admin: User,
    operator: User,
    stranger: User,
    other_group: HostGroup,
    whole: bool,
) -> None:
    host = make_host("hidden", groups=[other_group])
    entry = edit(client_of(admin), host, owner="x")
    for user in (operator, stranger):
        for method in ("get", "post"):
            answer = getattr(client_of(user), method)(page_of(entry, whole=whole))
            assert answer.status_code == 404
    assert Host.objects.get().owner == "x"


def test_a_request_that_reached_beyond_the_scope_shows_nothing_of_it(
    client_of: Signed,
    admin: User,
    operator: User,
    group: HostGroup,
    other_group: HostGroup,
) -> None:
    mine = make_host("mine", groups=[group])
    theirs = make_host("secret-name", groups=[other_group])
    data = {
        "pk": [mine.pk, theirs.pk],
        "change_owner": "1",
        "owner": "x",
        "apply": "1",
    }
    client_of(admin).post(reverse("cmdb:host_bulk_edit"), data)
    entry = AuditEntry.objects.get(verb="host.update", target_id=str(mine.pk))
    page = client_of(operator).get(page_of(entry, whole=True))
    assert "secret-name" not in page.content.decode()
    answer = client_of(operator).post(page_of(entry, whole=True))
    assert answer.status_code == 403
    assert set(Host.objects.values_list("owner", flat=True)) == {"x"}


def test_a_proof_is_asked_for_where_the_act_itself_asks_for_one(
    client_of: Signed, admin: User, settings: Any
) -> None:
    client = client_of(admin)
    entry = edit(client, make_host(), owner="x")
    settings.STEP_UP_PERMISSIONS = frozenset({"cmdb.change_host"})
    session = client.session
    session["proved_at"] = 0
    session.save()
    answer = client.post(page_of(entry))
    assert answer.status_code == 302
    assert reverse("accounts:confirm") in answer["Location"]
    assert Host.objects.get().owner == "x"


def test_hostile_values_are_shown_as_texts(client_of: Signed, admin: User) -> None:
    client, host = client_of(admin), make_host(notes=HOSTILE, owner=HOSTILE)
    entry = edit(client, host, notes=f"a\n{HOSTILE}\nb", owner="x", hostname="h")
    pages = [
        page_of(entry),
        reverse("cmdb:host_history", args=[host.pk]),
        reverse("cmdb:host_past", args=[host.pk]) + "?on=2020-01-01",
        reverse("accounts:audit_detail", args=[entry.pk]),
    ]
    for address in pages:
        page = client.get(address)
        assert page.status_code == 200, address
        assert "<script>alert" not in page.content.decode(), address
        assert "49" not in page.content.decode().split("alert(1)")[-1][:20]


def test_secrets_stand_on_no_plan(client_of: Signed, admin: User) -> None:
    row = Credential.objects.create(name="root", username="root", password="hunter2x")
    client = client_of(admin)
    values = {"password": "hunter3x", "notes": "n"}
    client.patch(f"/api/v1/credentials/{row.pk}/", values, content_type=JSON)
    entry = AuditEntry.objects.latest("pk")
    page = client.get(page_of(entry)).content.decode()
    assert "hunter" not in page
    assert "never written down" in page


def test_a_long_revert_is_a_workers(
    client_of: Signed, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revert_views, "AT_ONCE", 1)
    sent: list[str] = []
    monkeypatch.setattr(tasks, "do_revert", SimpleNamespace(delay=sent.append))
    client, hosts = client_of(admin), [make_host(owner="a") for _number in range(3)]
    data = {"pk": [h.pk for h in hosts], "change_owner": "1", "owner": "b"}
    client.post(reverse("cmdb:host_bulk_edit"), data | {"apply": "1"})
    entry = AuditEntry.objects.filter(verb="host.update").latest("pk")
    answer = client.post(page_of(entry, whole=True), {"reason": "r"})
    assert answer["Location"] == reverse("revert_progress", args=sent)
    assert "hx-get" in client.get(answer["Location"]).content.decode()
    assert Host.objects.filter(owner="a").count() == 0
    revert_job.do(sent[0])
    revert_job.do(sent[0])
    assert Host.objects.filter(owner="a").count() == 3
    page = client.get(answer["Location"], headers={"HX-Request": "true"})
    assert "hx-get" not in page.content.decode()
    assert client_of(make_user("else")).get(answer["Location"]).status_code == 404
    lines = AuditEntry.objects.filter(verb="host.revert")
    assert lines.count() == 3
    assert {line.request_id for line in lines} != {""}


def test_a_workers_refusal_and_silence_are_told(
    client_of: Signed, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, host = client_of(admin), make_host(owner="a")
    entry = edit(client, host, owner="b")
    edit(client, host, owner="c")
    wanted: dict[str, Any] = {"pk": entry.pk, "whole": False, "reason": "", "total": 1}
    key = revert_job.note(admin, **wanted)
    revert_job.do(key)
    page = client.get(reverse("revert_progress", args=[key])).content.decode()
    assert "Nothing was changed" in page
    key = revert_job.note(admin, **wanted)
    name = f"revert:{key}"
    cache.set(name, cache.get(name) | {"at": 0})
    page = client.get(reverse("revert_progress", args=[key])).content.decode()
    assert "No worker" in page


def test_the_progress_page_knows_no_other_names(client_of: Signed, admin: User) -> None:
    assert (
        client_of(admin).get(reverse("revert_progress", args=["x"])).status_code == 404
    )
