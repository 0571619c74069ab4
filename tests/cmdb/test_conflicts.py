"""What people decide of conflicts of identity: who may, what each decision does, and that a merge can be taken back."""

import time
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from adminset.errors import Conflict
from adminset.models import AuditEntry
from cmdb.models import Agent, Host, HostGroup, HostIdentifier, IdentityConflict
from cmdb.services import agents
from tests.cmdb.conftest import (
    SERIAL,
    UUID,
    Enrol,
    an_identity,
    some_facts,
)
from tests.factories import make_group, make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
OTHER = {"product_uuid": "1" + UUID[1:], "serial": "OTHER-9"}
PERMS = [
    "cmdb.view_identityconflict",
    "cmdb.change_agent",
    "cmdb.view_agent",
    "cmdb.view_host",
    "cmdb.change_host",
]
VERBS = ["accept", "merge", "split", "reimaged", "clone", "dismiss", "undo"]


def _page(conflict: IdentityConflict, verb: str = "") -> str:
    return f"/cmdb/identity-conflicts/{conflict.pk}/" + (f"{verb}/" if verb else "")


@pytest.fixture
def clone(enrol: Enrol) -> IdentityConflict:
    """A machine that looks like one that still reports, and was refused."""
    enrol()
    with pytest.raises(Conflict):
        enrol(boot_id="boot-2")
    return IdentityConflict.objects.get()


@pytest.fixture
def moved(enrol: Enrol) -> IdentityConflict:
    """The agent of a host reports from other hardware."""
    agent, secret = enrol()
    agents.absorb_facts(
        agent=agents.authenticate(agent.public_id, secret),
        facts=some_facts(serial="OTHER-9", vendor="HPE"),
        identity=an_identity(**OTHER),
        boot_id="boot-1",
        sent_at=time.time(),
        address="",
    )
    return IdentityConflict.objects.get()


def test_a_copy_that_is_declared_installed_anew_takes_its_host_over(
    client_of: Signed, admin: User, clone: IdentityConflict, enrol: Enrol
) -> None:
    host = Host.objects.get()
    old = Agent.objects.get()
    assert host.disputed
    answer = client_of(admin).post(_page(clone, "reimaged"), {"host": host.pk})
    assert answer.status_code == 302
    clone.refresh_from_db()
    assert (clone.verdict, clone.chosen, clone.decided_by) == (
        "reimaged",
        host,
        admin.audit_name,
    )
    line = AuditEntry.objects.get(verb="identityconflict.reimaged")
    assert (line.actor, line.target_id) == (admin, str(clone.pk))
    new, _secret = enrol(boot_id="boot-2")
    assert new.host_id == host.pk
    old.refresh_from_db()
    assert old.revoked_at is not None
    host.refresh_from_db()
    assert not host.disputed
    with pytest.raises(Conflict):
        enrol(boot_id="boot-3")


def test_a_declared_copy_becomes_a_host_of_its_own_and_what_both_show_tells_nothing(
    client_of: Signed, admin: User, clone: IdentityConflict, enrol: Enrol
) -> None:
    client_of(admin).post(_page(clone, "clone"))
    copy, _secret = enrol(boot_id="boot-2")
    assert Host.objects.count() == 2
    assert Agent.objects.filter(revoked_at=None).count() == 2
    shared = HostIdentifier.objects.filter(quality="shared")
    assert set(shared.values_list("value", flat=True)) >= {SERIAL.lower()}
    assert copy.host is not None
    third, _secret = enrol({"serial": SERIAL, "product_uuid": "2" + UUID[1:]}, None)
    assert third.host_id not in {copy.host_id, clone.hosts.get().pk}


def test_a_dismissed_machine_stays_refused_and_nobody_is_asked_again(
    client_of: Signed, admin: User, clone: IdentityConflict, enrol: Enrol
) -> None:
    client_of(admin).post(_page(clone, "dismiss"))
    with pytest.raises(Conflict):
        enrol(boot_id="boot-2")
    assert IdentityConflict.objects.get().verdict == "dismiss"
    assert not Host.objects.get().disputed


def test_new_hardware_is_accepted(
    client_of: Signed, admin: User, moved: IdentityConflict
) -> None:
    host = Host.objects.get()
    assert (host.serial, host.disputed) == (SERIAL, True)
    assert "OTHER-9" in client_of(admin).get(f"/cmdb/hosts/{host.pk}/").content.decode()
    client_of(admin).post(_page(moved, "accept"))
    host.refresh_from_db()
    assert (host.serial, host.vendor, host.disputed) == ("OTHER-9", "HPE", False)
    assert host.identifiers.filter(value="other-9").exists()
    line = AuditEntry.objects.get(verb="identityconflict.accept")
    assert {"field": "serial", "old": SERIAL, "new": "OTHER-9"} in line.changes


def test_a_disk_in_another_machine_is_split_off(
    client_of: Signed, admin: User, moved: IdentityConflict, group: HostGroup
) -> None:
    old = Host.objects.get()
    old.groups.add(group)
    client_of(admin).post(_page(moved, "split"))
    new = Host.objects.exclude(pk=old.pk).get()
    assert (new.serial, list(new.groups.all())) == ("OTHER-9", [group])
    assert Agent.objects.get().host == new
    old.refresh_from_db()
    assert (old.serial, old.disputed) == (SERIAL, False)
    assert not old.identifiers.filter(value="other-9").exists()


def test_a_merge_moves_everything_and_can_be_taken_back(
    client_of: Signed, admin: User, moved: IdentityConflict, group: HostGroup
) -> None:
    kept = Host.objects.get()
    gone = make_host("db-1", asset_number="A-1", owner="Li Lei", groups=[group])
    HostIdentifier.objects.create(host=gone, kind="serial", value="other-9")
    sent = {"host": kept.pk, "other": gone.pk}
    browser = client_of(admin)
    assert browser.post(_page(moved, "merge"), sent).status_code == 302
    kept.refresh_from_db()
    assert not Host.objects.filter(pk=gone.pk).exists()
    assert (kept.asset_number, kept.owner) == ("A-1", "Li Lei")
    assert list(kept.groups.all()) == [group]
    assert set(kept.identifiers.filter(kind="serial").values_list("value", flat=True))
    assert AuditEntry.objects.filter(verb="host.merge", target_id=kept.pk).exists()
    assert "Take the merge back" in browser.get(_page(moved)).content.decode()
    assert browser.post(_page(moved, "undo")).status_code == 302
    back = Host.objects.get(pk=gone.pk)
    kept.refresh_from_db()
    assert (back.hostname, back.asset_number, back.address) == (
        "db-1",
        "A-1",
        gone.address,
    )
    assert (kept.asset_number, kept.owner, kept.groups.count()) == ("", "", 0)
    assert list(back.groups.all()) == [group]
    assert back.identifiers.filter(value="other-9").exists()
    moved.refresh_from_db()
    assert (moved.verdict, moved.undo) == ("", None)
    assert AuditEntry.objects.filter(verb="host.unmerge").count() == 2


@pytest.mark.parametrize("verb", VERBS)
def test_who_may_not_change_agents_decides_nothing(
    client_of: Signed, clone: IdentityConflict, verb: str
) -> None:
    looker = make_user(perms=["cmdb.view_identityconflict", "cmdb.view_host"])
    assert client_of(looker).post(_page(clone, verb)).status_code == 403
    assert client_of(looker).get(_page(clone, verb)).status_code in {403, 405}
    clone.refresh_from_db()
    assert clone.verdict == ""


@pytest.mark.parametrize("verb", VERBS)
def test_a_decision_is_a_post(
    client_of: Signed, admin: User, clone: IdentityConflict, verb: str
) -> None:
    assert client_of(admin).get(_page(clone, verb)).status_code == 405


def test_who_looks_after_one_group_sees_and_decides_its_conflicts_only(
    client_of: Signed, clone: IdentityConflict
) -> None:
    mine, other = make_group("mine"), make_group("other")
    Host.objects.get().groups.add(other)
    browser = client_of(make_user(perms=PERMS, groups=[mine]))
    assert browser.post(_page(clone, "dismiss")).status_code == 404
    assert "web-1" not in browser.get("/cmdb/identity-conflicts/").content.decode()
    # Another host that is mine makes it visible, but it still is about one that is not.
    clone.hosts.add(make_host("mine-1", groups=[mine]))
    assert browser.get(_page(clone)).status_code == 200
    assert browser.post(_page(clone, "dismiss")).status_code == 403
    Host.objects.get(hostname="web-1").groups.add(mine)
    assert browser.post(_page(clone, "dismiss")).status_code == 302


def test_a_host_out_of_reach_cannot_be_chosen(
    client_of: Signed, clone: IdentityConflict
) -> None:
    mine = make_group("mine")
    Host.objects.get().groups.add(mine)
    foreign = make_host("foreign")
    browser = client_of(make_user(perms=PERMS, groups=[mine]))
    sent = {"host": foreign.pk}
    assert browser.post(_page(clone, "accept"), sent).status_code == 404
    clone.refresh_from_db()
    assert clone.verdict == ""


@pytest.mark.parametrize("host", ["", "x", "-1", "9" * 30, "1 OR 1=1", "²"])
def test_a_merge_needs_two_hosts_that_exist(
    client_of: Signed, admin: User, clone: IdentityConflict, host: str
) -> None:
    answer = client_of(admin).post(_page(clone, "merge"), {"host": host, "other": host})
    assert answer.status_code in {302, 404}
    clone.refresh_from_db()
    assert (clone.verdict, Host.objects.count()) == ("", 1)


def test_a_conflict_is_decided_once(
    client_of: Signed, admin: User, clone: IdentityConflict
) -> None:
    browser = client_of(admin)
    browser.post(_page(clone, "dismiss"))
    browser.post(_page(clone, "clone"))
    clone.refresh_from_db()
    assert clone.verdict == "dismiss"
    assert AuditEntry.objects.filter(verb="identityconflict.clone").count() == 0


def test_the_pages_show_hostile_text_as_text(
    client_of: Signed, admin: User, enrol: Enrol
) -> None:
    hostile = "<script>alert(1)</script>{{7*7}}"
    enrol()
    with pytest.raises(Conflict):
        enrol(
            an_identity(serial=hostile, machine_id="ab" * 32),
            some_facts(hostname=hostile, vendor=hostile),
            "boot-2",
        )
    conflict = IdentityConflict.objects.get()
    for page in (
        "/cmdb/identity-conflicts/",
        "/cmdb/identity-conflicts/?state=open",
        _page(conflict),
        _page(conflict, "history"),
        "/cmdb/hosts/?disputed=true",
    ):
        answer = client_of(admin).get(page)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.content.decode()


def test_the_page_shows_evidence_side_by_side(
    client_of: Signed, admin: User, moved: IdentityConflict
) -> None:
    text = client_of(admin).get(_page(moved)).content.decode()
    for words in ("OTHER-9".lower(), SERIAL.lower(), "the same", "another", "Split"):
        assert words in text


def test_an_old_decision_is_not_followed(
    admin: User, client_of: Signed, clone: IdentityConflict, enrol: Enrol
) -> None:
    client_of(admin).post(_page(clone, "reimaged"))
    IdentityConflict.objects.update(decided_at="2020-01-01T00:00:00Z")
    with pytest.raises(Conflict):
        enrol(boot_id="boot-2")
    assert IdentityConflict.objects.open().count() == 1


def test_the_hosts_page_shows_its_evidence_to_who_sees_agents(
    client_of: Signed, admin: User, clone: IdentityConflict
) -> None:
    page = f"/cmdb/hosts/{clone.hosts.get().pk}/?tab=identity"
    text = client_of(admin).get(page).content.decode()
    for words in (SERIAL.lower(), "Hardware UUID", str(clone)):
        assert words in text
    looker = client_of(make_user(perms=["cmdb.view_host"]))
    assert SERIAL.lower() not in looker.get(page).content.decode()
