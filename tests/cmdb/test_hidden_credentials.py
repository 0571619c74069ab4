"""A credential's name is for who sees the credential; grants forget what is deleted."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Grant, GrantScope, GroupMapping, Role, User
from adminset.crud import services as crud
from adminset.errors import Conflict
from adminset.models import AuditEntry
from cmdb.models import Credential, Host, HostGroup
from cmdb.resources.hosts import CREDENTIAL, HOST, HOST_GROUP
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def host(group: HostGroup) -> Host:
    secret = Credential.objects.create(name="vault-root", username="root")
    return make_host("web-1", groups=[group], credential=secret)


PAGES = ("cmdb:host_detail", "cmdb:host_edit")


def test_a_reader_of_hosts_learns_that_there_is_a_credential_and_not_its_name(
    client_of: Signed, host: Host, group: HostGroup
) -> None:
    perms = ["cmdb.view_host", "cmdb.change_host"]
    client = client_of(make_user(perms=perms, groups=[group]))
    for name in PAGES:
        page = client.get(reverse(name, args=[host.pk])).content.decode()
        assert "vault-root" not in page
        assert "set" in page
    rows = client.get(reverse(PAGES[0], args=[host.pk])).context["object"]
    assert rows.credential is not None


def test_a_hidden_credential_stays_with_the_host_that_is_edited(
    client_of: Signed, host: Host, group: HostGroup
) -> None:
    perms = ["cmdb.view_host", "cmdb.change_host"]
    client = client_of(make_user(perms=perms, groups=[group]))
    page = f"/api/v1/hosts/{host.pk}/"
    sent = {"owner": "ann"}
    answer = client.patch(page, sent, content_type="application/json")
    assert answer.status_code == 200, answer.json()
    host.refresh_from_db()
    assert (host.owner, str(host.credential)) == ("ann", "vault-root")


def test_who_sees_the_credential_reads_its_name(
    client_of: Signed, host: Host, group: HostGroup
) -> None:
    perms = ["cmdb.view_host", "cmdb.change_host", "cmdb.view_credential"]
    client = client_of(make_user(perms=perms, groups=[group]))
    for name in PAGES:
        page = client.get(reverse(name, args=[host.pk])).content.decode()
        assert "vault-root" in page


def make_credential() -> Credential:
    return Credential.objects.create(name="c", username="u")


@pytest.mark.parametrize(
    ("resource", "make"),
    [(HOST, make_host), (CREDENTIAL, make_credential), (HOST_GROUP, make_group)],
)
def test_grants_and_mappings_forget_what_is_deleted(
    admin: User, resource: Any, make: Callable[[], Any]
) -> None:
    row = make()
    kind = row._meta.label_lower
    role = Role.objects.create(name="r")
    grant = Grant.objects.create(user=make_user("holder"), role=role)
    for number in (row.pk, row.pk + 1000):
        GrantScope.objects.create(grant=grant, kind=kind, object_id=number)
    mapping = GroupMapping.objects.create(
        group="g", role=role, scope_ids={kind: [row.pk, row.pk + 1000]}
    )
    told = f"{kind}:{row.pk}"
    resource.delete(actor=admin, instance=row)
    left = GrantScope.objects.filter(kind=kind).values_list("object_id", flat=True)
    mapping.refresh_from_db()
    assert list(left) == mapping.scope_ids[kind]
    assert len(left) == 1
    line = AuditEntry.objects.get(verb="grant.update", target_id=str(grant.pk))
    assert line.changes == [{"field": "scopes", "old": told, "new": None}]


def test_a_deletion_that_is_refused_leaves_the_grants(admin: User, host: Host) -> None:
    credential = Credential.objects.get()
    grant = Grant.objects.create(
        user=make_user("holder"), role=Role.objects.create(name="r")
    )
    GrantScope.objects.create(
        grant=grant, kind="cmdb.credential", object_id=credential.pk
    )
    with pytest.raises(Conflict):
        crud.delete(actor=admin, instance=credential)
    assert GrantScope.objects.count() == 1
    assert not AuditEntry.objects.filter(verb="grant.update").exists()
