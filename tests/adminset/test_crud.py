"""What every resource shares: forms that take names, exports that start no formula, imports that name each fault."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.models import User
from adminset.crud.forms import bound_form
from adminset.crud.search import find_everywhere
from adminset.models import AuditEntry
from cmdb.models import Cabinet, Credential, Host, HostGroup, Idc
from cmdb.resources.hosts import CABINET, CREDENTIAL, HOST, HOST_GROUP
from tests.factories import (
    grant,
    make_cabinet,
    make_group,
    make_host,
    make_idc,
    make_user,
)

Signed = Callable[[User], Client]
JSON = "application/json"
pytestmark = pytest.mark.django_db


# -- one form for page, import and API


def test_related_objects_are_taken_by_name_or_by_id(admin: User) -> None:
    idc = make_idc("Beijing")
    for value in ("Beijing", idc.pk, str(idc.pk)):
        form = bound_form(
            CABINET.form,
            user=admin,
            values={"idc": value, "name": f"A{value}", "units": 42},
        )
        assert form.is_valid(), form.errors
        assert form.cleaned_data["idc"] == idc


def test_a_name_that_nobody_has_is_an_error_of_its_field(admin: User) -> None:
    form = bound_form(
        CABINET.form, user=admin, values={"idc": "Nowhere", "name": "A", "units": 42}
    )
    assert set(form.errors) == {"idc"}


def test_a_field_that_does_not_exist_is_named_with_those_that_do(admin: User) -> None:
    with pytest.raises(ValidationError) as caught:
        bound_form(CABINET.form, user=admin, values={"colour": "red"})
    assert "Known: " in caught.value.message_dict["colour"][0]


def test_a_patch_keeps_every_other_field(client_of: Signed, admin: User) -> None:
    cabinet = make_cabinet(units=20, notes="mind the step")
    answer = client_of(admin).patch(
        f"/api/v1/cabinets/{cabinet.pk}/", {"name": "B7"}, content_type=JSON
    )
    assert answer.status_code == 200
    kept = Cabinet.objects.get(pk=cabinet.pk)
    assert (kept.name, kept.units, kept.notes, kept.idc) == (
        "B7",
        20,
        "mind the step",
        cabinet.idc,
    )


def test_a_patch_of_a_credential_keeps_its_secret_and_not_its_mask(
    client_of: Signed, admin: User
) -> None:
    made = Credential.objects.create(
        name="c", username="root", password="hunter2-marker"
    )
    answer = client_of(admin).patch(
        f"/api/v1/credentials/{made.pk}/", {"username": "ops"}, content_type=JSON
    )
    assert answer.status_code == 200, answer.json()
    kept = Credential.objects.get(pk=made.pk)
    assert kept.username == "ops"
    assert kept.password is not None
    assert kept.password.reveal() == "hunter2-marker"
    assert "hunter2" not in answer.content.decode()


def test_groups_that_a_user_cannot_see_survive_his_save(
    operator: User, group: HostGroup, other_group: HostGroup
) -> None:
    host = make_host("web1", groups=[group, other_group])
    form = bound_form(HOST.form, user=operator, values={"notes": "seen"}, instance=host)
    assert form.is_valid(), form.errors
    HOST.save_checked(user=operator, form=form)
    assert set(host.groups.all()) == {group, other_group}


def test_nobody_moves_a_host_out_of_his_own_scope(
    client_of: Signed, operator: User, group: HostGroup
) -> None:
    host = make_host("web1", groups=[group])
    answer = client_of(operator).patch(
        f"/api/v1/hosts/{host.pk}/", {"groups": []}, content_type=JSON
    )
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "out_of_scope"
    assert list(host.groups.all()) == [group]
    assert not AuditEntry.objects.filter(verb="host.update").exists()


# -- lists


def test_a_page_beyond_the_end_is_the_last_one_and_nonsense_is_ignored(
    client_of: Signed, admin: User
) -> None:
    make_host("only")
    for query in (
        "page=999",
        "page=-1",
        "page=x",
        "per_page=7",
        "sort=no_such_column",
        "columns=nonsense",
    ):
        answer = client_of(admin).get(f"/cmdb/hosts/?{query}")
        assert answer.status_code == 200, query
        assert "only" in answer.content.decode(), query


def test_htmx_gets_the_list_alone(client_of: Signed, admin: User) -> None:
    answer = client_of(admin).get("/cmdb/hosts/", HTTP_HX_REQUEST="true")
    assert "<html" not in answer.content.decode()
    assert answer["Vary"].count("HX-Request")


def test_search_puts_exact_names_first_and_hides_what_is_out_of_scope(
    operator: User, group: HostGroup
) -> None:
    for name in ("db-web", "web-2", "web"):
        make_host(name, groups=[group])
    make_host("web-secret")
    found = find_everywhere(operator, "web", [HOST])
    assert [row.hostname for row, *_rest in found[0]["rows"]] == [
        "web",
        "web-2",
        "db-web",
    ]


# -- many at once


def test_a_bulk_edit_changes_the_ticked_field_only(
    client_of: Signed, admin: User
) -> None:
    hosts = [make_host(owner="a", notes="n") for _ in range(3)]
    data = {
        "pk": [host.pk for host in hosts[:2]],
        "apply": "1",
        "change_owner": "on",
        "owner": "b",
        "kind": "virtual",
    }
    assert client_of(admin).post(HOST.url("bulk_edit"), data).status_code == 302
    rows = Host.objects.order_by("pk").values_list("owner", "kind", "notes")
    assert list(rows) == [
        ("b", "physical", "n"),
        ("b", "physical", "n"),
        ("a", "physical", "n"),
    ]


def test_a_bulk_action_with_one_row_out_of_scope_touches_none(
    client_of: Signed, operator: User, group: HostGroup
) -> None:
    mine, other = make_host(groups=[group]), make_host(groups=[make_group()])
    answer = client_of(operator).post(
        HOST.url("bulk_delete"),
        {"pk": [mine.pk, other.pk], "confirm": "1", "count": "2"},
    )
    assert answer.status_code == 403
    assert Host.objects.count() == 2


def test_what_others_need_is_not_deleted_and_they_are_named(
    client_of: Signed, admin: User
) -> None:
    cabinet = make_cabinet()
    answer = client_of(admin).delete(f"/api/v1/idcs/{cabinet.idc.pk}/")
    assert answer.status_code == 409
    assert str(cabinet) in answer.json()["error"]["message"]
    assert Idc.objects.filter(pk=cabinet.idc.pk).exists()


# -- the API


def test_an_unknown_filter_is_named(client_of: Signed, admin: User) -> None:
    answer = client_of(admin).get("/api/v1/hosts/", {"colour": "red"})
    assert answer.status_code == 422
    assert "colour" in answer.json()["error"]["fields"]


def test_reference_data_is_not_changed_with_a_scoped_grant(
    client_of: Signed, group: HostGroup
) -> None:
    idc = make_idc("Beijing")
    user = make_user(perms=["cmdb.view_idc", "cmdb.change_idc"], groups=[group])
    client = client_of(user)
    assert client.get(f"/api/v1/idcs/{idc.pk}/").status_code == 200
    assert (
        client.patch(
            f"/api/v1/idcs/{idc.pk}/", {"name": "x"}, content_type=JSON
        ).status_code
        == 403
    )
    assert Idc.objects.get().name == "Beijing"


def test_a_grant_without_a_scope_gives_nothing(
    client_of: Signed, stranger: User
) -> None:
    made = grant(stranger, ["cmdb.view_host"])
    made.everything = False
    made.save()
    assert client_of(stranger).get("/cmdb/hosts/").status_code == 403


def test_the_schema_describes_every_resource(client_of: Signed, stranger: User) -> None:
    answer = client_of(stranger).get("/api/v1/schema/", {"format": "json"})
    paths = answer.json()["paths"]
    for resource in (HOST, CREDENTIAL, HOST_GROUP):
        assert f"/api/v1/{resource.path}/" in paths
    shape = answer.json()["components"]["schemas"]["Credential"]["properties"]
    assert not {"password", "private_key", "passphrase"} & set(shape)


def test_names_of_groups_out_of_scope_stand_nowhere(
    client_of: Signed, operator: User, group: HostGroup, other_group: HostGroup
) -> None:
    host = make_host("web1", groups=[group, other_group])
    client = client_of(operator)
    for address in ("/cmdb/hosts/", f"/cmdb/hosts/{host.pk}/"):
        page = client.get(address).content.decode()
        assert group.name in page
        assert other_group.name not in page, address
    export = client.get("/cmdb/hosts/", {"export": "csv"}).getvalue().decode()
    assert other_group.name not in export
    assert client.get(f"/api/v1/hosts/{host.pk}/").json()["groups"] == [group.pk]
