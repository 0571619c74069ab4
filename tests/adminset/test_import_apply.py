"""A plan is applied as a whole or not at all, only while it still holds, by a worker where it is large; and taken back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from adminset import tasks
from adminset.import_models import ImportPlan
from adminset.imports import plans, views, work
from adminset.models import AuditEntry
from cmdb.models import Cabinet, Credential, Host, HostGroup, Idc
from cmdb.resources.hosts import HOST, IDC
from tests.adminset.importing import do, errors, kinds, plan_of
from tests.factories import make_cabinet, make_host, make_idc, make_user

Signed = Callable[[User], Client]
pytestmark = pytest.mark.django_db
State = ImportPlan.State


def test_an_object_that_was_changed_since_stops_all(
    client_of: Signed, admin: User
) -> None:
    one = make_idc("one", notes="then")
    client = client_of(admin)
    file = f"name,code,notes\nnew,new,\none,{one.code},mine\n"
    plan = plan_of(client, IDC, file, key="name")
    Idc.objects.filter(pk=one.pk).update(notes="theirs")
    do(client, plan)
    assert plan.state == State.REFUSED
    assert "Nothing was changed" in plan.message
    assert kinds(plan) == {2: "create", 3: "conflict"}
    assert "notes" in errors(plan)[3, ""]
    assert not Idc.objects.filter(name="new").exists()
    assert not AuditEntry.objects.filter(target_type="cmdb.idc").exists()
    do(client, plan, "again")
    assert kinds(plan) == {2: "create", 3: "update"}
    do(client, plan)
    one.refresh_from_db()
    assert one.notes == "mine"


def test_an_object_that_came_since_stops_all(client_of: Signed, admin: User) -> None:
    client = client_of(admin)
    plan = plan_of(client, IDC, "name,code\none,one\n", key="name")
    make_idc("one")
    do(client, plan)
    assert plan.state == State.REFUSED
    assert kinds(plan) == {2: "conflict"}


def test_a_change_of_what_the_file_does_not_touch_is_no_conflict(
    client_of: Signed, admin: User
) -> None:
    one = make_idc("one")
    client = client_of(admin)
    plan = plan_of(client, IDC, f"code,notes\n{one.code},mine\n", key="code")
    Idc.objects.filter(pk=one.pk).update(phone="123")
    do(client, plan)
    one.refresh_from_db()
    assert (one.notes, one.phone) == ("mine", "123")


def test_what_a_service_refuses_stands_in_the_plan_and_changes_nothing(
    client_of: Signed, admin: User
) -> None:
    cabinet: Cabinet = make_cabinet(make_idc("here"), name="R1")
    client = client_of(admin)
    file = "hostname,cabinet,cabinet_unit\na,R1,5\nb,R1,5\n"
    plan = plan_of(client, HOST, file)
    assert kinds(plan) == {2: "create", 3: "error"}
    assert "taken" in errors(plan)[3, ""]
    assert not Host.objects.filter(cabinet=cabinet).exists()


def test_what_is_refused_only_in_the_end_undoes_all(
    client_of: Signed, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "is_worth_it", lambda *_told: False)
    make_cabinet(make_idc("here"), name="R1")
    client = client_of(admin)
    file = "hostname,cabinet,cabinet_unit\na,R1,5\nb,R1,5\n"
    plan = plan_of(client, HOST, file)
    do(client, plan)
    assert plan.state == State.REFUSED
    assert kinds(plan) == {2: "create", 3: "error"}
    assert not Host.objects.exists()
    assert not AuditEntry.objects.filter(target_type="cmdb.host").exists()


def test_a_right_that_is_lost_meanwhile_counts(client_of: Signed) -> None:
    user = make_user(perms=["cmdb.view_idc", "cmdb.add_idc", "cmdb.change_idc"])
    plan = plan_of(client_of(user), IDC, "name,code\na,a\n")
    user.grants.all().delete()
    plans.queue(actor=user, plan=plan)
    tasks.apply_import(plan.pk)
    plan.refresh_from_db()
    assert plan.state == State.REFUSED
    assert not Idc.objects.exists()


def test_what_a_person_has_set_stays_and_the_plan_says_so(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)
    client.post(
        HOST.url("add"), {"hostname": "web1", "kind": "physical", "serial": "S"}
    )
    host = Host.objects.get()
    file = f"id,serial,owner\n{host.pk},OTHER,ops\n"
    plan = plan_of(client, HOST, file, key="id")
    assert [c["field"] for c in plan.rows.get().changes] == ["owner"]
    assert "person" in errors(plan)[2, "serial"]
    do(client, plan)
    host.refresh_from_db()
    assert (host.serial, host.owner) == ("S", "ops")


def test_an_import_is_undone_as_a_whole(client_of: Signed, admin: User) -> None:
    one = make_idc("one", notes="before")
    client = client_of(admin)
    file = f"name,code,notes\none,{one.code},after\nnew,new,\n"
    plan = plan_of(client, IDC, file, key="name")
    do(client, plan)
    undo = client.get(f"/imports/{plan.pk}/").context["undo_url"]
    assert client.get(undo).status_code == 200
    assert client.post(undo, {"reason": "wrong file"}).status_code == 302
    one.refresh_from_db()
    assert one.notes == "before"
    assert not Idc.objects.filter(name="new").exists()


def test_what_a_reader_may_not_see_stands_in_no_plan(
    client_of: Signed, operator: User, group: HostGroup
) -> None:
    hidden = Credential.objects.create(name="hidden root", username="root")
    make_host("web1", groups=[group], credential=hidden)
    client = client_of(operator)
    Credential.objects.create(name="other")
    plan = plan_of(client, HOST, "hostname,credential\nweb1,\n", key="hostname")
    if plan.rows.get().changes:
        page = client.get(f"/imports/{plan.pk}/").content.decode()
        assert ("hidden root" in page) == Credential.objects.visible_to(
            operator
        ).filter(pk=hidden.pk).exists()


def test_hostile_cells_are_text_on_the_page(client_of: Signed, admin: User) -> None:
    client = client_of(admin)
    file = 'name,code,notes\n<script>alert(1)</script>,x,"{{ 7*7 }}"\n<b>,b b,\n'
    plan = plan_of(client, IDC, file, name="<img src=x>.csv")
    page = client.get(f"/imports/{plan.pk}/").content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x>" not in page
    assert "{{ 7*7 }}" in page


# -- workers


def test_a_large_file_is_a_workers(
    client_of: Signed, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[tuple[str, int]] = []
    for name in ("plan_import", "apply_import"):
        task = getattr(tasks, name)
        monkeypatch.setattr(task, "delay", lambda pk, n=name: called.append((n, pk)))
    client = client_of(admin)
    rows = "".join(f"n{i},c{i}\n" for i in range(views.AT_ONCE + 1))
    plan = plan_of(client, IDC, "name,code\n" + rows)
    assert plan.state == State.WAITING
    assert called == [("plan_import", plan.pk)]
    assert "hx-get" in client.get(f"/imports/{plan.pk}/").content.decode()
    tasks.plan_import(plan.pk)
    do(client, plan)
    assert called[1:] == [("apply_import", plan.pk)]
    assert not Idc.objects.exists()
    tasks.apply_import(plan.pk)
    tasks.apply_import(plan.pk)
    assert Idc.objects.count() == views.AT_ONCE + 1
    assert AuditEntry.objects.filter(verb="idc.create").count() == views.AT_ONCE + 1


def test_without_a_worker_nothing_is_lost_and_one_may_try_again(
    client_of: Signed, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_pk: int) -> None:
        raise OperationalError("redis is away")

    monkeypatch.setattr(tasks.plan_import, "delay", refuse)
    monkeypatch.setattr(views, "AT_ONCE", 0)
    client = client_of(admin)
    plan = plan_of(client, IDC, "name,code\na,a\n")
    page = client.get(f"/imports/{plan.pk}/").content.decode()
    assert "No worker can be called" in page
    ImportPlan.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert "for a while" in client.get(f"/imports/{plan.pk}/").content.decode()
    monkeypatch.setattr(views, "AT_ONCE", 5)
    do(client, plan, "again")
    assert plan.state == State.PLANNED


def test_who_lost_the_claim_ends_nothing(client_of: Signed, admin: User) -> None:
    plan = plan_of(client_of(admin), IDC, "name,code\na,a\n")
    plans.queue(actor=admin, plan=plan)
    job: Any = work.take(plan.pk, State.APPLYING, State.QUEUED)
    assert work.take(plan.pk, State.APPLYING, State.QUEUED) is None
    ImportPlan.objects.filter(pk=plan.pk).update(claim="somebody else")
    assert not job.end(State.APPLIED)


def test_a_plan_can_be_thrown_away_and_old_ones_go(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)
    first = plan_of(client, IDC, "name,code\na,a\n")
    second = plan_of(client, IDC, "name,code\nb,b\n")
    assert do(client, first, "discard").status_code == 302
    assert list(ImportPlan.objects.all()) == [second]
    ImportPlan.objects.update(created_at=timezone.now() - timedelta(days=31))
    tasks.purge_imports()
    assert not ImportPlan.objects.exists()
