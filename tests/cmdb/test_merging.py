"""Two hosts that are one machine: all that belongs to the one moves to the other, and comes back."""

import pytest

from adminset.errors import Conflict
from cmdb.models import Host, HostGroup, HostIdentifier
from cmdb.services import merging
from tests.cmdb.conftest import SETUP, Enrol, fall_silent, some_facts
from tests.factories import make_host

pytestmark = pytest.mark.django_db


def test_rows_that_both_have_come_back_after_a_merge(group: HostGroup) -> None:
    kept, gone = make_host("a", groups=[group]), make_host("b", groups=[group])
    for host in (kept, gone):
        HostIdentifier.objects.create(host=host, kind="serial", value="same-1")
    undo = merging.merge(actor=SETUP, kept=kept, gone=gone)
    assert kept.identifiers.count() == 1
    merging.unmerge(actor=SETUP, undo=undo)
    assert Host.objects.get(pk=gone.pk).identifiers.get().value == "same-1"
    assert group.hosts.count() == 2


def test_two_hosts_that_both_report_are_not_one(enrol: Enrol) -> None:
    one = enrol()[0].host
    other = enrol({"machine_id": "cd" * 32}, boot_id="b2")[0].host
    assert one is not None
    assert other is not None
    with pytest.raises(Conflict):
        merging.merge(actor=SETUP, kept=one, gone=other)
    assert Host.objects.count() == 2


def test_a_merge_keeps_the_agent_that_reports(enrol: Enrol) -> None:
    silent, live = enrol()[0], enrol({"machine_id": "cd" * 32}, boot_id="b2")[0]
    fall_silent(silent)
    assert silent.host is not None
    assert live.host is not None
    undo = merging.merge(actor=SETUP, kept=silent.host, gone=live.host)
    live.refresh_from_db()
    silent.refresh_from_db()
    assert live.host_id == undo["kept"]
    assert silent.revoked_at is not None
    merging.unmerge(actor=SETUP, undo=undo)
    live.refresh_from_db()
    silent.refresh_from_db()
    assert (live.host_id, silent.host_id) == (undo["gone"], undo["kept"])
    assert silent.revoked_at is None


def test_parts_of_both_come_back(enrol: Enrol) -> None:
    silent = enrol()[0]
    other = enrol({"machine_id": "cd" * 32}, some_facts(hostname="db-1"), "b2")[0]
    fall_silent(silent)
    kept, gone = silent.host, other.host
    assert kept is not None
    assert gone is not None
    before = sorted(gone.nics.values_list("name", "pk"))
    undo = merging.merge(actor=SETUP, kept=kept, gone=gone)
    assert kept.nics.count() == len(before)
    merging.unmerge(actor=SETUP, undo=undo)
    assert sorted(gone.nics.values_list("name", "pk")) == before
    assert kept.nics.count() == len(before)


def test_a_machine_is_not_merged_with_what_runs_on_it() -> None:
    below = make_host("kvm-1")
    guest = make_host("guest", hypervisor=below)
    for kept, gone in ((below, guest), (guest, below), (guest, guest)):
        with pytest.raises(Conflict):
            merging.merge(actor=SETUP, kept=kept, gone=gone)
    assert Host.objects.count() == 2


def test_a_merge_is_not_taken_back_twice() -> None:
    kept, gone = make_host("a"), make_host("b")
    undo = merging.merge(actor=SETUP, kept=kept, gone=gone)
    merging.unmerge(actor=SETUP, undo=undo)
    with pytest.raises(Conflict):
        merging.unmerge(actor=SETUP, undo=undo)
