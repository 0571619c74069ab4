"""Who is who, situation by situation (research/cmdb.md, 3.3 item 8): what happens to a machine, and what becomes of its host."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from adminset.errors import Conflict, DomainError
from adminset.models import AuditEntry
from cmdb.models import Agent, Host, HostIdentifier, IdentityConflict
from cmdb.services import agents, hosts, identity
from tests.cmdb.conftest import (
    MACHINE_ID,
    SERIAL,
    SETUP,
    UUID,
    Enrol,
    an_identity,
    fall_silent,
    some_facts,
)

pytestmark = pytest.mark.django_db
OTHER_ID, OTHER_UUID = "cd" * 32, "1" + UUID[1:]
SWAPPED_UUID = "44454c4c-4200-1035-8054-b4c04f565432"


@dataclass
class World:
    """A portal with one machine that has enrolled; situations happen to it."""

    do_enrol: Enrol
    agent: Agent = field(init=False)
    secret: str = field(init=False)
    clock: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self.agent, self.secret = self.do_enrol()

    def enrol(self, told: Any = None, facts: Any = None, boot: str = "b2") -> Agent:
        """Enrol a machine; a conflict is no error here but shows in the outcome."""
        return self.do_enrol(told, facts, boot)[0]

    def refused(self, identity: Any = None, facts: Any = None) -> None:
        """Enrol a machine that must be refused."""
        with pytest.raises(Conflict):
            self.do_enrol(identity, facts, "b2")

    def report(
        self,
        identity: Any = None,
        boot: str = "boot-1",
        seq: int | None = None,
        **facts: Any,
    ) -> str:
        """Report as the agent, a second after the last report."""
        self.clock += 1
        agents.forget_recent()
        return agents.absorb_facts(
            agent=agents.authenticate(self.agent.public_id, self.secret),
            facts=some_facts(**facts),
            identity=an_identity(**(identity or {})),
            boot_id=boot,
            sent_at=self.clock,
            address="10.1.2.3",
            seq=seq,
        )

    def silence(self) -> None:
        """Let the agent have stopped long ago."""
        fall_silent(self.agent)


@dataclass(frozen=True)
class Row:
    """A situation: what happens, and then how many hosts there are, which conflict is open, what the trail tells."""

    what: str
    happens: Callable[[World], Any]
    hosts: int = 1
    conflict: str = ""
    told: str = ""
    check: Callable[[World], bool] = lambda world: True


def _host() -> Host:
    return Host.objects.order_by("pk")[0]


def _board(world: World) -> None:
    world.report({"chassis_serial": "CH-77001"})
    world.report(
        {"chassis_serial": "CH-77001", "product_uuid": OTHER_UUID, "serial": "NEW-1"},
        serial="NEW-1",
    )


def _disk(world: World) -> None:
    other = {"product_uuid": OTHER_UUID, "serial": "OTHER-9"}
    world.report(other, serial="OTHER-9", vendor="HPE")


def _deleted(world: World) -> None:
    known = agents.authenticate(world.agent.public_id, world.secret)
    hosts.delete_host(actor=SETUP, instance=_host())
    agents.forget_recent()
    for ask in (
        lambda: world.report(),
        lambda: agents.absorb_facts(
            agent=known,
            facts=some_facts(kernel="x"),
            identity={},
            boot_id="b",
            sent_at=time.time(),
            address="",
        ),
    ):
        with pytest.raises(DomainError) as refusal:
            ask()
        assert refusal.value.status == 401


def _snapshot(world: World) -> None:
    """Set back while it ran: the old boot goes on once."""
    world.report()
    world.report(boot="boot-2")
    assert world.report(boot="boot-1", kernel="old") == "changed"
    world.report(boot="boot-3", kernel="old")


def _replayed(world: World) -> None:
    world.report(kernel="6.1.1")
    world.clock -= 1
    assert world.report(kernel="6.1.1") == "unchanged"
    world.clock -= 2
    assert world.report(kernel="5.0") == "stale"


def _of_an_old_boot(world: World) -> None:
    world.report(boot="boot-2", kernel="6.1.1")
    world.clock -= 600
    assert world.report(boot="boot-1", kernel="5.0") == "stale"


def _silent_then(identity: Any = None, facts: Any = None) -> Callable[[World], None]:
    def happens(world: World) -> None:
        world.silence()
        world.enrol(identity, facts)

    return happens


def _placeholders(world: World) -> None:
    nothing = {"serial": "To be filled by O.E.M.", "product_uuid": "F" * 32}
    world.enrol(nothing, boot="p1")
    world.enrol(nothing | {"serial": "XXXXXXXX"}, boot="p2")


def _containers(world: World) -> None:
    inside = some_facts(virtualisation="lxc")
    for boot, machine_id in (("c1", "11" * 32), ("c2", "22" * 32)):
        world.enrol(an_identity(machine_id=machine_id), inside, boot)


def _clock(world: World) -> None:
    """Within what the intake lets pass (an hour); a year off never comes here (tests/monitor/test_agent_api.py)."""
    world.clock += 3000
    world.report(seq=1)
    world.clock -= 3000
    assert world.report(seq=2, kernel="6.2") == "changed"


ROWS = [
    Row(
        "it is renamed",
        lambda w: w.report(hostname="web-one"),
        told="host.report",
        check=lambda w: _host().hostname == "web-one",
    ),
    Row("FQDN and short name", lambda w: w.report(hostname="web-1.example.com")),
    Row("the name in capitals", lambda w: w.report(hostname="WEB-1")),
    Row(
        "it is installed anew on the same hardware",
        _silent_then(an_identity(machine_id=OTHER_ID)),
        told="host.reimage",
    ),
    Row(
        "it is installed anew, its credential kept",
        lambda w: w.report({"machine_id": OTHER_ID}),
        told="host.reimage",
    ),
    Row(
        "its board is swapped",
        _board,
        conflict="board_swap",
        check=lambda w: _host().serial == SERIAL and _host().disputed,
    ),
    Row(
        "its disk is put into another machine",
        _disk,
        conflict="disk_moved",
        check=lambda w: (_host().serial, _host().vendor) == (SERIAL, "Dell Inc."),
    ),
    Row(
        "its network card is swapped",
        lambda w: w.report({"macs": ["3c:ec:ef:99:99:99"]}),
        check=lambda w: _host().identifiers.filter(kind="mac").count() == 2,
    ),
    Row(
        "a clone runs beside it",
        lambda w: w.refused(),
        conflict="clone_suspected",
        check=lambda w: Agent.objects.count() == 1,
    ),
    Row(
        "a clone with hardware of its own runs beside it",
        lambda w: w.refused(an_identity(product_uuid=OTHER_UUID, serial="C-100")),
        conflict="clone_suspected",
    ),
    Row(
        "a clone with hardware of its own, it is stopped",
        _silent_then(an_identity(product_uuid=OTHER_UUID, serial="C-100")),
        hosts=2,
    ),
    Row("it is set back to a snapshot", _snapshot, check=lambda w: not _refused(w)),
    Row(
        "a cloud machine stops and starts: another address",
        lambda w: w.report(
            boot="boot-2", primary_address="10.9.9.9", nics=[], hostname="web-1"
        ),
        check=lambda w: _host().address == "10.9.9.9",
    ),
    Row(
        "a second machine of the same name",
        lambda w: w.enrol(
            {"machine_id": OTHER_ID, "product_uuid": OTHER_UUID, "serial": "D-2000"}
        ),
        hosts=2,
        check=lambda w: Host.objects.filter(hostname="web-1").count() == 2,
    ),
    Row("two machines with placeholders", _placeholders, hosts=3),
    Row(
        "the bytes of its UUID are swapped",
        _silent_then(an_identity(product_uuid=SWAPPED_UUID)),
        told="host.relink",
    ),
    Row(
        "containers of it",
        _containers,
        hosts=3,
        check=lambda w: HostIdentifier.objects.filter(kind="product_uuid").count() == 1,
    ),
    Row(
        "DHCP gives its address to another machine",
        lambda w: w.enrol({"machine_id": OTHER_ID}, some_facts(hostname="db-1")),
        hosts=2,
    ),
    Row("its agent is installed again", _silent_then(), told="host.relink"),
    Row("its clock is set right", _clock, check=lambda w: _host().kernel == "6.2"),
    Row("a report is replayed", _replayed, check=lambda w: _host().kernel == "6.1.1"),
    Row(
        "a report of the boot before comes late",
        _of_an_old_boot,
        check=lambda w: _host().kernel == "6.1.1",
    ),
    Row(
        "the same serial number with another UUID enrols",
        lambda w: w.refused({"serial": SERIAL, "product_uuid": OTHER_UUID}),
        conflict="contradiction",
    ),
    Row("its host is deleted", _deleted, hosts=0),
]


def _refused(world: World) -> list[str]:
    return Agent.objects.get(pk=world.agent.pk).refused_boots


@pytest.mark.parametrize("row", ROWS, ids=[row.what for row in ROWS])
def test_what_becomes_of_a_machine(enrol: Enrol, row: Row) -> None:
    world = World(enrol)
    row.happens(world)
    assert Host.objects.count() == row.hosts
    opened = IdentityConflict.objects.open().values_list("kind", flat=True)
    assert list(opened) == ([row.conflict] if row.conflict else [])
    if row.told:
        assert AuditEntry.objects.filter(verb=row.told).exists()
    assert row.check(world)


def test_two_first_reports_at_once_become_one_host(
    enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one has looked before the first one was there: the unique key sends it round again."""
    first, _secret = enrol()
    real = identity.match
    blind = iter([identity.Match(None)])

    def looks(*args: Any) -> Any:
        return next(blind, None) or real(*args)

    monkeypatch.setattr(identity, "match", looks)
    fall_silent(first)
    Agent.objects.filter(pk=first.pk).update(revoked_at=None)
    again, _secret = enrol(boot_id="b2")
    assert again.host_id == first.host_id
    assert Host.objects.count() == 1


def test_a_conflict_is_opened_once_however_often_the_machine_tries(
    enrol: Enrol,
) -> None:
    world = World(enrol)
    for _again in range(3):
        world.refused()
    conflict = IdentityConflict.objects.get()
    assert conflict.seen_count == 3
    assert list(conflict.hosts.all()) == [world.agent.host]
    assert conflict.evidence["machine_id"] == MACHINE_ID
