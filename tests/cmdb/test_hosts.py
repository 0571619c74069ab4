"""What a person may enter of a host, where it may stand, who may see and change it, and its pinned key."""

import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import GrantScope, User
from adminset.errors import DomainError
from adminset.models import AuditEntry
from cmdb import hostkeys
from cmdb.models import Credential, Host, HostGroup
from cmdb.services import hosts
from cmdb.services.racks import refill
from tests.cmdb.conftest import SETUP, Enrol, fall_silent
from tests.factories import make_cabinet, make_group, make_host, make_idc, make_user

pytestmark = pytest.mark.django_db


def _add(client: Client, **values: Any) -> Any:
    return client.post(
        "/cmdb/hosts/add/", {"hostname": "x", "kind": "physical", **values}
    )


def test_the_cabinet_says_the_idc(client_of: Any, admin: User) -> None:
    cabinet = make_cabinet()
    assert (
        _add(client_of(admin), cabinet=cabinet.pk, cabinet_unit=42).status_code == 302
    )
    assert Host.objects.get().idc == cabinet.idc


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("cabinet", {"idc": "other"}),
        ("cabinet_unit", {"cabinet_unit": 43}),
        ("cabinet_unit", {"cabinet": "", "cabinet_unit": 1}),
        ("address", {"address": "10.0.0.256"}),
        ("ssh_port", {"ssh_port": 70000}),
        ("hostname", {"hostname": ""}),
    ],
)
def test_a_place_that_makes_no_sense_is_refused(
    client_of: Any, admin: User, field: str, values: dict[str, Any]
) -> None:
    sent: dict[str, Any] = {"cabinet": make_cabinet().pk, **values}
    if sent.get("idc"):
        sent["idc"] = make_idc().pk
    answer = _add(client_of(admin), **sent)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Host.objects.exists()


def test_a_cabinet_cannot_shrink_below_its_hosts(client_of: Any, admin: User) -> None:
    cabinet = make_cabinet()
    make_host("high", cabinet=cabinet, idc=cabinet.idc, cabinet_unit=Decimal(40))
    refill()
    page = f"/api/v1/cabinets/{cabinet.pk}/"
    answer = client_of(admin).patch(
        page, {"units": 20}, content_type="application/json"
    )
    assert answer.status_code == 422
    assert "40" in answer.json()["error"]["fields"]["units"]


def test_what_the_user_does_not_see_of_a_host_stays(
    client_of: Any, operator: User, group: HostGroup, other_group: HostGroup
) -> None:
    credential = Credential.objects.create(name="root", username="root")
    cabinet = make_cabinet()
    host = make_host(
        groups=[group, other_group],
        credential=credential,
        cabinet=cabinet,
        idc=cabinet.idc,
    )
    client = client_of(operator)
    page = f"/cmdb/hosts/{host.pk}/edit/"
    text = client.get(page).content.decode()
    assert "database" not in text
    form = client.get(page).context["form"]
    sent = {k: v for k, v in form.initial.items() if v not in (None, "", [])}
    assert client.post(page, sent | {"owner": "Han"}).status_code == 302
    host.refresh_from_db()
    assert set(host.groups.all()) == {group, other_group}
    assert (host.owner, host.credential, host.cabinet) == ("Han", credential, cabinet)
    line = AuditEntry.objects.get(verb="host.update")
    assert [change["field"] for change in line.changes] == ["owner"]


def test_an_operator_cannot_put_a_host_outside_the_scope(
    client_of: Any, operator: User, group: HostGroup
) -> None:
    client = client_of(operator)
    answer = _add(client)
    assert answer.status_code == 422
    assert not Host.objects.exists()
    assert _add(client, groups=[group.pk]).status_code == 302
    page = f"/cmdb/hosts/{Host.objects.get().pk}/edit/"
    sent = {"hostname": "x", "kind": "physical"}
    assert client.post(page, sent).status_code == 422
    assert Host.objects.get().groups.get() == group


def test_a_group_takes_and_gives_only_hosts_that_one_may_change(
    client_of: Any, group: HostGroup
) -> None:
    mine, theirs = make_host(groups=[group]), make_host()
    far = make_group("far")
    theirs.groups.add(far)
    perms = ["view_host", "change_host", "view_hostgroup", "change_hostgroup"]
    user = make_user(perms=[f"cmdb.{p}" for p in perms], groups=[group])
    client = client_of(user)
    page = f"/cmdb/host-groups/{group.pk}/edit/"
    answer = client.post(page, {"name": "web", "hosts": [mine.pk, theirs.pk]})
    assert answer.status_code == 422
    group.hosts.add(theirs)
    Host.groups.through.objects.filter(hostgroup=far).delete()
    answer = client.post(page, {"name": "web", "hosts": [mine.pk, theirs.pk]})
    assert answer.status_code == 302
    assert group.hosts.count() == 2


def test_the_members_of_a_group_are_changed_on_its_page(
    client_of: Any, admin: User, group: HostGroup
) -> None:
    kept, going, coming = (
        make_host("kept", groups=[group]),
        make_host("going"),
        make_host("coming"),
    )
    going.groups.add(group)
    page = f"/cmdb/host-groups/{group.pk}/edit/"
    client = client_of(admin)
    sent = {"name": "web", "hosts": [kept.pk, coming.pk]}
    assert client.post(page, sent).status_code == 302
    assert set(group.hosts.all()) == {kept, coming}
    line = AuditEntry.objects.get(verb="hostgroup.members")
    assert line.changes == [{"field": "hosts", "old": ["going"], "new": ["coming"]}]
    text = client.get(f"/cmdb/host-groups/{group.pk}/?tab=hosts").content.decode()
    assert "coming" in text
    assert "going" not in text


def test_a_deleted_group_is_nobodys_scope_any_more(
    client_of: Any, admin: User, operator: User, group: HostGroup
) -> None:
    assert GrantScope.objects.exists()
    client_of(admin).post(f"/cmdb/host-groups/{group.pk}/delete/")
    assert not GrantScope.objects.exists()


@pytest.mark.parametrize("tab", ["cabinets", "hosts"])
def test_an_idc_lists_its_cabinets_and_hosts(
    client_of: Any, admin: User, tab: str
) -> None:
    cabinet = make_cabinet(name="A07")
    make_host("in-a07", cabinet=cabinet, idc=cabinet.idc, cabinet_unit=7)
    client = client_of(admin)
    text = client.get(f"/cmdb/idcs/{cabinet.idc_id}/?tab={tab}").content.decode()
    assert {"cabinets": "A07", "hosts": "in-a07"}[tab] in text
    text = client.get(f"/cmdb/cabinets/{cabinet.pk}/?tab=hosts").content.decode()
    assert "in-a07" in text


@pytest.mark.parametrize("state", ["reporting", "silent", "none"])
def test_hosts_are_filtered_by_their_agent(
    client_of: Any, admin: User, enrol: Enrol, state: str
) -> None:
    enrol(facts={"hostname": "reporting-1"}, identity={})
    silent, _secret = enrol(facts={"hostname": "silent-1"}, identity={})
    fall_silent(silent)
    make_host("none-1")
    answer = client_of(admin).get("/cmdb/hosts/", {"agent": state})
    shown = [row.record.hostname for row in answer.context["table"].rows]
    assert shown == [f"{state}-1"]


def test_a_silent_host_says_since_when(
    client_of: Any, admin: User, enrol: Enrol
) -> None:
    agent, _secret = enrol()
    fall_silent(agent)
    page = f"/cmdb/hosts/{agent.host_id}/"
    client = client_of(admin)
    text = client.get(page).content.decode()
    assert "No data since" in text
    assert "931" in text  # the disk of 10^12 bytes in GiB
    assert "eth0" in client.get(f"{page}?tab=nics").content.decode()


def test_the_fingerprint_is_the_one_of_ssh_keygen(tmp_path: Path) -> None:
    file = tmp_path / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True
    )
    public = file.with_suffix(".pub").read_text()
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", file], capture_output=True, text=True, check=True
    )
    assert hostkeys.fingerprint(public) == listed.stdout.split()[1]


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH7Wl0Zf7gOrd1Xz8N7mYmZyqS4hV0bHcKzZ1v2b3c4d"


def test_a_key_is_accepted_with_a_line_and_stays_when_the_address_changes(
    client_of: Any, admin: User
) -> None:
    host = make_host()
    hosts.accept_host_key(actor=admin, host=host, public_key=f"{KEY} a comment")
    hosts.accept_host_key(actor=admin, host=host, public_key=KEY)
    line = AuditEntry.objects.get(verb="host.accept_key")
    assert line.changes[0]["new"] == hostkeys.fingerprint(KEY)
    client = client_of(admin)
    page = f"/api/v1/hosts/{host.pk}/"
    assert (
        client.patch(
            page, {"address": "10.7.7.7"}, content_type="application/json"
        ).status_code
        == 200
    )
    host.refresh_from_db()
    assert host.host_key == KEY
    text = client.get(f"/cmdb/hosts/{host.pk}/").content.decode()
    assert hostkeys.fingerprint(KEY).replace("+", "&#x2B;") in text.replace(
        "+", "&#x2B;"
    )
    hosts.forget_host_key(actor=SETUP, host=host)
    host.refresh_from_db()
    assert host.host_key == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 ???",
        "ssh-dss " + KEY.split()[1],
        "ssh-rsa " + KEY.split()[1],
    ],
)
def test_what_is_no_host_key_is_refused(text: str) -> None:
    host = make_host()
    with pytest.raises(DomainError):
        hosts.accept_host_key(actor=SETUP, host=host, public_key=text)
    assert not AuditEntry.objects.exists()
