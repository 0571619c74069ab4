"""A merge is taken back though the world went on: what is gone or taken meanwhile is left out, or it is refused in words."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection

from adminset.errors import Conflict
from cmdb.models import (
    AssetStatus,
    Cabinet,
    CabinetSlot,
    Host,
    HostGroup,
    HostIdentifier,
    IpAddress,
    Nic,
)
from cmdb.services import merging, racks, taken
from tests.cmdb.conftest import SETUP, Enrol, fall_silent
from tests.factories import make_cabinet, make_host, make_idc

pytestmark = pytest.mark.django_db


def _placed(name: str, cabinet: Cabinet) -> Host:
    host = make_host(name, cabinet=cabinet, cabinet_unit=Decimal(5))
    racks.occupy(host)
    return host


def test_a_host_comes_back_into_its_unit() -> None:
    gone = _placed("b", make_cabinet())
    undo = merging.merge(actor=SETUP, kept=make_host("a"), gone=gone)
    assert not CabinetSlot.objects.exists()
    back = merging.unmerge(actor=SETUP, undo=undo)
    assert (back.cabinet_unit, back.slots.count()) == (Decimal(5), 4)


def test_a_host_whose_unit_was_given_away_comes_back_without_one() -> None:
    cabinet = make_cabinet()
    undo = merging.merge(actor=SETUP, kept=make_host("a"), gone=_placed("b", cabinet))
    newcomer = _placed("c", cabinet)
    back = Host.objects.get(pk=merging.unmerge(actor=SETUP, undo=undo).pk)
    assert (back.hostname, back.cabinet, back.cabinet_unit) == ("b", cabinet, None)
    assert (back.slots.count(), newcomer.slots.count()) == (0, 4)


def test_what_a_host_referred_to_and_is_deleted_since_is_left_out(
    group: HostGroup,
) -> None:
    idc, status = make_idc(), AssetStatus.objects.create(name="odd")
    kept = make_host("a", groups=[group], idc=make_idc(), status=status)
    gone = make_host("b", groups=[group], idc=idc, status=status)
    undo = merging.merge(actor=SETUP, kept=kept, gone=gone)
    idc.delete()
    group.delete()
    back = Host.objects.get(pk=merging.unmerge(actor=SETUP, undo=undo).pk)
    connection.check_constraints()
    assert (back.hostname, back.idc, back.status) == ("b", None, status)
    assert not back.groups.exists()


def test_a_merge_that_something_else_stands_in_the_way_of_is_refused_whole(
    enrol: Enrol,
) -> None:
    silent, live = enrol()[0], enrol({"machine_id": "cd" * 32}, boot_id="b2")[0]
    fall_silent(silent)
    assert silent.host is not None
    assert live.host is not None
    undo = merging.merge(actor=SETUP, kept=silent.host, gone=live.host)
    live.refresh_from_db()
    live.host = None
    live.save()
    newcomer = enrol({"machine_id": "ef" * 32}, boot_id="b3")[0]
    Host.objects.filter(agent=newcomer).update(hostname="c")
    newcomer.host = Host.objects.get(pk=undo["kept"])
    newcomer.save()
    with pytest.raises(Conflict) as refused:
        merging.unmerge(actor=SETUP, undo=undo)
    assert refused.value.code == "cannot_undo"
    assert not Host.objects.filter(pk=undo["gone"]).exists()
    newcomer.refresh_from_db()
    assert newcomer.host_id == undo["kept"]


def test_what_the_database_does_not_take_is_refused_in_words(monkeypatch: Any) -> None:
    kept, gone = make_host("a"), make_host("b")
    for host in (kept, gone):
        HostIdentifier.objects.create(host=host, kind="serial", value="same-1")
    undo = merging.merge(actor=SETUP, kept=kept, gone=gone)

    def fails(*_args: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(merging, "_empty_again", fails)
    with pytest.raises(Conflict):
        merging.unmerge(actor=SETUP, undo=undo)
    assert Host.objects.get() == kept
    assert kept.identifiers.count() == 1


def test_what_pointed_at_rows_that_both_had_points_at_them_again() -> None:
    kept, gone = make_host("a"), make_host("b")
    nics = [Nic.objects.create(host=host, name="eth0") for host in (kept, gone)]
    address = IpAddress.objects.create(address="10.9.9.9", host=gone, nic=nics[1])
    undo = json.loads(json.dumps(merging.merge(actor=SETUP, kept=kept, gone=gone)))
    address.refresh_from_db()
    assert (address.host, address.nic) == (kept, None)
    merging.unmerge(actor=SETUP, undo=undo)
    address.refresh_from_db()
    assert (address.host_id, address.nic) == (gone.pk, nics[1])


def test_rows_come_back_whatever_their_order_and_what_they_miss() -> None:
    host = make_host("a")
    nic = Nic.objects.create(host=host, name="eth0")
    address = IpAddress.objects.create(address="10.9.9.9", host=host, nic=nic)
    keys = (host.pk, nic.pk)
    texts, links = taken.take_away([address, nic, host])
    assert not Host.objects.exists()
    taken.bring_back(texts, links)
    nic = Nic.objects.get()
    assert (nic.host_id, nic.pk) == keys
    assert IpAddress.objects.get().nic == nic
    texts, links = taken.take_away([nic])
    assert len(links) == 1
    Host.objects.get().delete()
    taken.bring_back(texts, links)
    assert not Nic.objects.exists()
