"""Decisions on conflicts open nothing: no way into one's own reach, no host that they are not about, no hidden names."""

from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Forbidden
from adminset.models import AuditEntry
from adminset.querysets import may
from cmdb import facts
from cmdb.evidence import Evidence
from cmdb.models import Agent, Host, HostGroup, IdentityConflict
from cmdb.services import conflicts, hosts, merging, rulings
from tests.cmdb.conftest import SETUP, Enrol, some_facts
from tests.factories import grant, make_dynamic, make_group, make_host, make_user

pytestmark = pytest.mark.django_db
PERMS = [
    "cmdb.view_identityconflict",
    "cmdb.view_agent",
    "cmdb.change_agent",
    "cmdb.view_host",
    "cmdb.change_host",
    "cmdb.delete_host",
]


def _conflict(*involved: Host, **claims: Any) -> IdentityConflict:
    return conflicts.open_(
        kind=IdentityConflict.Kind.SEVERAL,
        hosts=list(involved),
        evidence=Evidence.read({}),
        known={"hostname": "said", **claims},
    )


def _page(conflict: IdentityConflict, verb: str = "") -> str:
    return f"/cmdb/identity-conflicts/{conflict.pk}/" + (f"{verb}/" if verb else "")


def _merge(client: Any, conflict: IdentityConflict, kept: Host, gone: Host) -> Any:
    sent = {"host": kept.pk, "other": gone.pk}
    return client.post(_page(conflict, "merge"), sent, follow=True)


@pytest.mark.parametrize("way", ["dynamic", "static"])
def test_nobody_merges_a_host_into_his_own_reach(
    client_of: Any, group: HostGroup, way: str
) -> None:
    other = make_dynamic() if way == "dynamic" else make_group("far")
    user = make_user(perms=PERMS, groups=[group])
    grant(user, [*PERMS, "cmdb.run_host"], [other])
    kept = make_host("kept-1", groups=[group])
    listed = [other] if way == "static" else []
    gone = make_host("gone-1", owner="ops", groups=listed)
    conflict = _conflict(kept, gone)
    page = _merge(client_of(user), conflict, kept, gone)
    assert "into your own reach" in page.content.decode()
    assert not may(user, "run", kept)
    assert Host.objects.filter(pk=gone.pk).exists()
    conflict.refresh_from_db()
    assert conflict.verdict == ""
    assert not AuditEntry.objects.filter(verb="host.merge").exists()


def test_hosts_of_the_same_reach_are_merged_and_come_back(
    client_of: Any, group: HostGroup, ops: HostGroup
) -> None:
    user = make_user(perms=[*PERMS, "cmdb.run_host"], groups=[group, ops])
    kept = make_host("kept-1", groups=[group])
    gone = make_host("gone-1", owner="ops", groups=[group])
    conflict = _conflict(kept, gone)
    client = client_of(user)
    _merge(client, conflict, kept, gone)
    assert not Host.objects.filter(pk=gone.pk).exists()
    client.post(_page(conflict, "undo"))
    kept.refresh_from_db()
    assert (Host.objects.get(pk=gone.pk).owner, kept.owner) == ("ops", "")


def test_nobody_takes_a_merge_back_so_that_a_host_enters_his_reach(
    group: HostGroup,
) -> None:
    kept, gone = make_host("kept-1", groups=[group]), make_host("g", owner="ops")
    undo = merging.merge(actor=SETUP, kept=kept, gone=gone)
    nobodys = make_dynamic("nobody's", owner_empty=["1"])
    user = make_user(perms=PERMS, groups=[group])
    grant(user, ["cmdb.run_host"], [nobodys])
    with pytest.raises(Forbidden):
        merging.unmerge(actor=user, undo=undo)


def test_nobody_accepts_hardware_that_brings_a_host_into_his_reach(
    enrol: Enrol, group: HostGroup
) -> None:
    agent = enrol()[0]
    assert agent.host is not None
    agent.host.groups.add(group)
    conflict = conflicts.open_(
        kind=IdentityConflict.Kind.BOARD_SWAP,
        hosts=[agent.host],
        evidence=Evidence.read({}),
        known=facts.clean(some_facts(vendor="HPE")),
        agent=agent,
    )
    user = make_user(perms=PERMS, groups=[group])
    grant(user, ["cmdb.run_host"], [make_dynamic("hpe", vendor_is=["HPE"])])
    with pytest.raises(Forbidden):
        rulings.decide(actor=user, conflict=conflict, verdict="accept")


@pytest.mark.parametrize("way", ["dynamic", "static"])
def test_nobody_links_an_agent_so_that_a_host_enters_his_reach(
    enrol: Enrol, group: HostGroup, way: str
) -> None:
    agent, by_hand = enrol()[0], make_host("by-hand", groups=[group])
    dell, far = make_dynamic("dell", vendor_is=["Dell Inc."]), make_group("far")
    assert agent.host is not None
    agent.host.groups.add(group, far)
    user = make_user(perms=PERMS, groups=[group])
    grant(user, ["cmdb.run_host"], [dell if way == "dynamic" else far])
    with pytest.raises(Forbidden):
        hosts.link_agent(actor=user, agent=agent, host=by_hand)
    assert Agent.objects.get().host != by_hand
    assert not may(user, "run", by_hand)


def test_a_conflict_merges_no_hosts_that_it_is_not_about(
    client_of: Any, admin: User
) -> None:
    one, two, far = make_host("one"), make_host("two"), make_host("far")
    conflict = _conflict(one, two)
    client = client_of(admin)
    for kept, gone in ((one, far), (far, one)):
        assert _merge(client, conflict, kept, gone).status_code == 404
    sent = {"host": far.pk}
    assert client.post(_page(conflict, "accept"), sent).status_code == 404
    conflict.refresh_from_db()
    assert (conflict.verdict, Host.objects.count()) == ("", 3)


def test_who_may_not_delete_a_host_merges_it_into_none(
    client_of: Any, group: HostGroup
) -> None:
    kept, gone = make_host("a", groups=[group]), make_host("b", groups=[group])
    conflict = _conflict(kept, gone)
    user = make_user(perms=PERMS[:-1], groups=[group])
    client = client_of(user)
    page = client.get(_page(conflict)).content.decode()
    assert 'name="other"' not in page
    assert _merge(client, conflict, kept, gone).status_code == 403
    assert Host.objects.count() == 2
    grant(user, ["cmdb.delete_host"], [group])
    client = client_of(User.objects.get(pk=user.pk))
    assert 'name="other"' in client.get(_page(conflict)).content.decode()
    assert _merge(client, conflict, kept, gone).status_code == 200
    assert Host.objects.count() == 1


def test_no_line_of_a_conflict_names_a_host_that_the_reader_may_not_see(
    client_of: Any, admin: User, group: HostGroup
) -> None:
    mine = make_host("mine-1", groups=[group])
    conflict = _conflict(mine, make_host("hidden-db-7"))
    hidden = Host.objects.get(hostname="hidden-db-7")
    reader = client_of(make_user(perms=PERMS, groups=[group]))
    boss = client_of(admin)
    pages = [_page(conflict, "history"), f"/api/v1{_page(conflict, 'history')[5:]}"]

    def told(client: Any) -> list[str]:
        answers = [client.get(page) for page in pages]
        assert [answer.status_code for answer in answers] == [200, 200]
        return [answer.content.decode() for answer in answers]

    assert all("mine-1" in page for page in told(reader))
    assert all("hidden-db-7" in page for page in told(boss))
    _merge(boss, conflict, mine, hidden)
    boss.post(_page(conflict, "undo"))
    boss.post(_page(conflict, "accept"), {"host": hidden.pk})
    pages.append(f"/cmdb/hosts/{mine.pk}/history/")
    answers = [reader.get(page).content.decode() for page in pages]
    assert not any("hidden-db-7" in page for page in answers)
    assert AuditEntry.objects.filter(verb="identityconflict.accept").exists()
