"""An import is a plan first: it says what each row would do, then does all of it or nothing, and can be undone."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from adminset.import_models import ImportPlan
from adminset.models import AuditEntry
from cmdb.models import AssetStatus, Credential, Host, HostGroup, Idc
from cmdb.resources.hosts import CABINET, CREDENTIAL, HOST, IDC
from tests.adminset.importing import do, errors, kinds, plan_of, send
from tests.factories import make_cabinet, make_host, make_idc, make_user

Signed = Callable[[User], Client]
pytestmark = pytest.mark.django_db


def test_a_plan_says_what_each_row_would_do_and_changes_nothing(
    client_of: Signed, admin: User
) -> None:
    make_idc("one", address="Old Street"), make_idc("two")
    two = Idc.objects.get(name="two")
    file = f"name,code,address\none,{Idc.objects.get(name='one').code},New Street\ntwo,{two.code},\nthree,three,\nfour,not a slug!,\n"
    client = client_of(admin)
    plan = plan_of(client, IDC, file, key="name")
    assert kinds(plan) == {2: "update", 3: "unchanged", 4: "create", 5: "error"}
    [change] = plan.rows.get(line=2).changes
    assert change == {"field": "address", "old": "Old Street", "new": "New Street"}
    assert errors(plan).keys() == {(5, "code")}
    page = client.get(f"/imports/{plan.pk}/").content.decode()
    assert "Old Street" in page
    assert "New Street" in page
    assert Idc.objects.count() == 2
    assert not AuditEntry.objects.filter(target_type="cmdb.idc").exists()


def test_the_page_of_a_plan_filters_by_kind(client_of: Signed, admin: User) -> None:
    client = client_of(admin)
    plan = plan_of(client, IDC, "name,code\na,a\nb,b b\n")
    answer = client.get(f"/imports/{plan.pk}/", {"kind": "error"})
    assert [each["row"].line for each in answer.context["rows"]] == [3]
    assert {c["kind"]: c["count"] for c in answer.context["counts"]}["create"] == 1


def test_applying_writes_one_line_a_object_under_one_request(
    client_of: Signed, admin: User
) -> None:
    one = make_idc("one")
    client = client_of(admin)
    file = f"name,code,notes\none,{one.code},changed\nnew,new,\n"
    plan = plan_of(client, IDC, file, key="name", name="sites.csv")
    do(client, plan)
    assert plan.state == ImportPlan.State.APPLIED
    one.refresh_from_db()
    assert one.notes == "changed"
    lines = AuditEntry.objects.filter(target_type="cmdb.idc").order_by("pk")
    assert [e.verb for e in lines] == ["idc.update", "idc.create", "idc.import"]
    assert {e.request_id for e in lines} == {plan.request_id}
    assert {e.reason for e in lines} == {"import sites.csv"}
    assert {e.actor for e in lines} == {admin}


def test_one_bad_row_keeps_all_out(client_of: Signed, admin: User) -> None:
    client = client_of(admin)
    plan = plan_of(client, IDC, "name,code\ngood,good\nbad,not a slug!\n,empty\n")
    assert errors(plan).keys() == {(3, "code"), (4, "name")}
    answer = do(client, plan)
    assert answer.status_code == 409
    assert plan.state == ImportPlan.State.PLANNED
    assert not Idc.objects.exists()


def test_the_bad_rows_come_as_a_file_that_may_be_sent_again(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)
    plan = plan_of(client, IDC, "name,code,notes\ngood,good,\nbad,b b,=1+1\n")
    answer = client.get(f"/imports/{plan.pk}/bad-rows/")
    text = answer.getvalue().decode("utf-8-sig")
    assert text.splitlines()[0] == "name,code,notes,import_error"
    assert text.splitlines()[1].startswith("bad,b b,'=1+1,")
    assert "line 3, code" in text
    again = plan_of(client, IDC, text.replace("b b", "b"), key="name")
    assert kinds(again) == {2: "create"}
    do(client, again)
    assert Idc.objects.get().notes == "=1+1"


def test_a_key_finds_the_object_and_leaves_what_the_file_does_not_name(
    client_of: Signed, admin: User
) -> None:
    host = make_host("web1", serial="SN1", owner="ops", notes="keep")
    host.groups.add(HostGroup.objects.create(name="web"))
    client = client_of(admin)
    plan = plan_of(client, HOST, "serial,owner\nSN1,dev\n", key="serial")
    do(client, plan)
    host.refresh_from_db()
    assert (host.owner, host.notes, host.hostname) == ("dev", "keep", "web1")
    assert host.groups.count() == 1


def test_a_group_of_fields_that_is_unique_is_a_key(
    client_of: Signed, admin: User
) -> None:
    here, there = make_idc("here"), make_idc("there")
    make_cabinet(here, name="R1"), make_cabinet(there, name="R1")
    file = "idc,name,units\nthere,R1,30\n"
    client = client_of(admin)
    do(client, plan_of(client, CABINET, file, key="idc,name"))
    units = dict(CABINET.model._default_manager.values_list("idc__name", "units"))
    assert units == {"here": 42, "there": 30}


def test_a_name_that_several_objects_bear_means_the_one_that_fits_the_row(
    client_of: Signed, admin: User
) -> None:
    here, there = make_idc("here"), make_idc("there")
    make_cabinet(here, name="R1"), make_cabinet(there, name="R1")
    file = "hostname,idc,cabinet\nh1,there,R1\nh2,,R1\nh3,,here / R1\n"
    client = client_of(admin)
    plan = plan_of(client, HOST, file)
    assert kinds(plan) == {2: "create", 3: "error", 4: "create"}
    assert "2 objects are called “R1”" in errors(plan)[3, "cabinet"]


def test_an_ambiguous_or_doubled_key_is_a_conflict(
    client_of: Signed, admin: User
) -> None:
    make_host("twin"), make_host("twin"), make_host("one")
    file = "hostname,owner\ntwin,a\none,b\none,c\n,d\n"
    plan = plan_of(client_of(admin), HOST, file, key="hostname")
    assert kinds(plan) == {2: "conflict", 3: "conflict", 4: "conflict", 5: "error"}
    assert "2 objects have this key" in errors(plan)[2, "hostname"]
    assert "Line 4" in errors(plan)[3, "hostname"]


def test_the_id_is_a_key_and_an_empty_one_a_new_object(
    client_of: Signed, admin: User
) -> None:
    host = make_host("old")
    file = f"id,hostname\n{host.pk},new\n,other\n999999,none\n"
    plan = plan_of(client_of(admin), HOST, file, key="id")
    assert kinds(plan) == {2: "update", 3: "create", 4: "error"}
    assert "no object with this id" in errors(plan)[4, "id"]


def test_two_rows_may_not_take_the_same_unique_value(
    client_of: Signed, admin: User
) -> None:
    plan = plan_of(client_of(admin), IDC, "name,code\na,same\nb,same\n")
    assert kinds(plan) == {2: "create", 3: "error"}
    assert "Line 2" in errors(plan)[3, "code"]


def test_choices_are_taken_by_value_and_by_the_word_of_the_page(
    client_of: Signed, admin: User
) -> None:
    AssetStatus.objects.create(name="in use")
    client = client_of(admin)
    file = "hostname,kind,status\na,virtual,in use\nb,Network device,\nc,,\n"
    do(client, plan_of(client, HOST, file))
    found = dict(Host.objects.values_list("hostname", "kind"))
    assert found == {"a": "virtual", "b": "network", "c": "physical"}


# -- who may


def test_who_may_only_add_changes_nothing(client_of: Signed) -> None:
    make_idc("one")
    client = client_of(make_user(perms=["cmdb.view_idc", "cmdb.add_idc"]))
    file = "name,code,notes\none,one,x\nnew,new,\n"
    plan = plan_of(client, IDC, file, key="name")
    assert kinds(plan) == {2: "error", 3: "create"}
    assert "not change it" in errors(plan)[2, ""]


def test_who_may_only_change_adds_nothing(client_of: Signed) -> None:
    one = make_idc("one")
    client = client_of(make_user(perms=["cmdb.view_idc", "cmdb.change_idc"]))
    file = f"name,code\none,{one.code}x\nnew,new\n"
    plan = plan_of(client, IDC, file, key="name")
    assert kinds(plan) == {2: "update", 3: "error"}
    do(client, plan)
    assert Idc.objects.count() == 1


def test_who_may_neither_gets_no_page(client_of: Signed) -> None:
    client = client_of(make_user(perms=["cmdb.view_idc"]))
    assert send(client, IDC, "name,code\na,a\n").status_code == 403


def test_rows_out_of_scope_are_not_there(
    client_of: Signed, operator: User, group: HostGroup, other_group: HostGroup
) -> None:
    make_host("mine", serial="S1", groups=[group])
    hidden = make_host("theirs", serial="S2", groups=[other_group])
    client = client_of(operator)
    file = f"id,owner\n{hidden.pk},x\n"
    plan = plan_of(client, HOST, file, key="id")
    assert kinds(plan) == {2: "error"}
    file = "serial,hostname,groups\nS2,new,web\nS1,mine,database\n"
    plan = plan_of(client, HOST, file, key="serial")
    assert kinds(plan) == {2: "create", 3: "error"}
    assert "database" in errors(plan)[3, "groups"]
    hidden.refresh_from_db()
    assert hidden.hostname == "theirs"


def test_a_row_that_would_lie_outside_the_scope_stands_in_the_plan(
    client_of: Signed, operator: User, group: HostGroup
) -> None:
    plan = plan_of(client_of(operator), HOST, "hostname,groups\nin,web\nout,\n")
    assert kinds(plan) == {2: "create", 3: "error"}
    assert "outside your scope" in errors(plan)[3, ""]
    assert not Host.objects.exists()


def test_nobody_sees_the_plan_of_another(client_of: Signed, admin: User) -> None:
    plan = plan_of(client_of(admin), IDC, "name,code\na,a\n")
    other = client_of(make_user("root2", is_superuser=True))
    for address in (f"/imports/{plan.pk}/", f"/imports/{plan.pk}/bad-rows/"):
        assert other.get(address).status_code == 404
    assert other.post(f"/imports/{plan.pk}/", {"do": "apply"}).status_code == 404
    assert not Idc.objects.exists()


def test_secrets_are_no_columns(client_of: Signed, admin: User) -> None:
    file = "name,username,password\na,root,hunter2\n"
    answer = send(client_of(admin), CREDENTIAL, file)
    assert answer.status_code == 422
    assert not ImportPlan.objects.exists()


def test_a_secret_stays_when_a_file_changes_the_rest(
    client_of: Signed, admin: User
) -> None:
    kept = Credential.objects.create(name="root", username="root", password="hunter2")
    client = client_of(admin)
    plan = plan_of(client, CREDENTIAL, "name,username\nroot,admin\n", key="name")
    assert [c["field"] for c in plan.rows.get().changes] == ["username"]
    do(client, plan)
    kept.refresh_from_db()
    assert (kept.username, kept.password.reveal()) == ("admin", "hunter2")
    entry = AuditEntry.objects.get(verb="credential.update")
    assert [c["field"] for c in entry.changes] == ["username"]
