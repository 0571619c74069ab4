"""Who is who when an agent enrols: the decision table, row by row. A name or an address never decides."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adminset.crypto import digest
from adminset.errors import Conflict, DomainError
from adminset.models import AuditEntry
from cmdb.models import Agent, EnrolmentToken, Host, HostIdentifier
from cmdb.services import agents, hosts
from tests import template
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
from tests.factories import make_group, make_host

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
SWAPPED_UUID = "44454c4c-4200-1035-8054-b4c04f565432"


def test_a_machine_that_was_never_here_becomes_a_host(enrol: Enrol) -> None:
    agent, secret = enrol()
    host = Host.objects.get()
    assert agent.host == host
    assert (host.hostname, host.address, host.cpu_threads) == (
        "web-1",
        "10.1.2.3",
        16,
    )
    assert host.memory_bytes == 64 * 2**30
    assert host.disk_bytes == 10**12
    assert host.kind == "physical"
    assert agent.secret_hash == digest(secret)
    assert set(host.identifiers.values_list("kind", flat=True)) == {
        "machine_id",
        "product_uuid",
        "serial",
        "mac",
    }
    line = AuditEntry.objects.get(verb="host.discover")
    assert line.actor_kind == "agent"
    assert secret not in str(list(AuditEntry.objects.values()))


def test_the_token_says_the_group() -> None:
    group = make_group("edge")
    _row, plain = agents.create_enrolment_token(actor=SETUP, name="x", group=group)
    agents.enrol(
        plain_token=plain,
        identity=an_identity(),
        facts=some_facts(),
        boot_id="b",
        address="::1",
    )
    assert list(group.hosts.values_list("hostname", flat=True)) == ["web-1"]


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param(an_identity(), id="everything the same"),
        pytest.param({"machine_id": MACHINE_ID}, id="only the machine id"),
        pytest.param(
            {"product_uuid": UUID, "serial": SERIAL, "machine_id": "cd" * 32},
            id="re-imaged",
        ),
        pytest.param(
            an_identity(product_uuid=SWAPPED_UUID), id="bytes of the UUID swapped"
        ),
        pytest.param(
            an_identity(product_uuid=UUID.upper(), serial="7bx3m12 "), id="case"
        ),
        pytest.param(an_identity(macs=["3c:ec:ef:99:99:99"]), id="another NIC"),
    ],
)
def test_a_silent_host_is_found_again(enrol: Enrol, identity: dict[str, Any]) -> None:
    old, old_secret = enrol()
    fall_silent(old)
    new, _secret = enrol(identity, some_facts(hostname="renamed"), "boot-2")
    assert Host.objects.count() == 1
    assert new.host == old.host
    old.refresh_from_db()
    assert old.revoked_at is not None
    assert old.host is None
    assert Host.objects.get().hostname == "renamed"
    with pytest.raises(DomainError) as refusal:
        agents.authenticate(old.public_id, old_secret)
    assert refusal.value.status == 401


def test_a_new_machine_id_on_the_same_hardware_is_called_a_re_image(
    enrol: Enrol,
) -> None:
    fall_silent(enrol()[0])
    enrol(an_identity(machine_id="cd" * 32), boot_id="boot-2")
    assert AuditEntry.objects.filter(verb="host.reimage").count() == 1


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param(an_identity(), id="a copy with the same hardware"),
        pytest.param(an_identity(product_uuid="1" + UUID[1:]), id="other hardware"),
    ],
)
def test_a_copy_of_a_host_that_still_reports_is_refused(
    enrol: Enrol, identity: dict[str, Any]
) -> None:
    agent, secret = enrol()
    with pytest.raises(Conflict) as refusal:
        enrol(identity, boot_id="boot-2")
    assert refusal.value.status == 409
    assert refusal.value.code == "clone_suspected"
    assert "web-1" in refusal.value.message
    assert refusal.value.hint
    assert Host.objects.count() == Agent.objects.count() == 1
    assert EnrolmentToken.objects.get().used_count == 1
    assert agents.authenticate(agent.public_id, secret).host_id == agent.host_id
    with pytest.raises(Conflict):
        enrol(identity, boot_id="boot-2")
    assert AuditEntry.objects.filter(verb="agent.refuse").count() == 1


def test_a_copy_of_a_host_that_was_stopped_is_a_host_of_its_own(enrol: Enrol) -> None:
    first, _secret = enrol()
    fall_silent(first)
    copy, _secret = enrol(
        an_identity(product_uuid="1" + UUID[1:], serial="OTHER-1"), boot_id="boot-2"
    )
    assert copy.host != first.host
    fall_silent(copy)
    again, _secret = enrol(boot_id="boot-3")
    assert again.host_id == first.host_id


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param({}, id="nothing known"),
        pytest.param(
            {"serial": "To be filled by O.E.M.", "product_uuid": "0" * 32},
            id="placeholders",
        ),
        pytest.param({"serial": SERIAL}, id="only the serial number"),
        pytest.param({"product_uuid": UUID}, id="only the UUID"),
        pytest.param({"macs": ["3c:ec:ef:00:11:22"]}, id="only the MAC"),
    ],
)
def test_weak_evidence_links_nothing_though_name_and_address_agree(
    enrol: Enrol, identity: dict[str, Any]
) -> None:
    first, _secret = enrol()
    fall_silent(first)
    second, _secret = enrol(identity, boot_id="boot-2")
    assert second.host_id != first.host_id
    assert Host.objects.filter(hostname="web-1").count() == 2


def test_two_machines_with_placeholders_only_are_two_hosts(enrol: Enrol) -> None:
    nothing = {"serial": "Default string", "product_uuid": "F" * 32}
    enrol(nothing, boot_id="a")
    enrol(nothing, boot_id="b")
    assert Host.objects.count() == 2


def test_containers_on_one_machine_are_hosts_of_their_own(enrol: Enrol) -> None:
    inside = some_facts(virtualisation="docker")
    enrol(an_identity(machine_id="11" * 32), inside, "b")
    enrol(an_identity(machine_id="22" * 32), inside, "b")
    assert Host.objects.count() == 2
    assert not HostIdentifier.objects.filter(kind="serial").exists()


def test_a_host_entered_by_hand_is_never_matched(enrol: Enrol) -> None:
    by_hand = make_host("web-1", address="10.1.2.3", serial=SERIAL)
    agent, _secret = enrol()
    assert agent.host != by_hand


def test_a_person_can_say_that_it_is_the_host_entered_by_hand(enrol: Enrol) -> None:
    group = make_group("edge")
    by_hand = make_host("web-one", serial="", owner="Li Lei")
    agent, secret = enrol()
    agent.host.groups.add(group)
    hosts.link_agent(actor=SETUP, agent=agent, host=by_hand)
    by_hand.refresh_from_db()
    assert Host.objects.get() == by_hand
    assert by_hand.owner == "Li Lei"
    assert by_hand.serial == SERIAL
    assert by_hand.identifiers.count() == 4
    assert list(by_hand.groups.all()) == [group]
    assert AuditEntry.objects.filter(verb="host.link").count() == 1
    agents.forget_recent()
    assert agents.authenticate(agent.public_id, secret).host_id == by_hand.pk


def test_a_host_with_an_agent_takes_no_second_one(enrol: Enrol) -> None:
    first, _secret = enrol()
    second, _secret = enrol({}, boot_id="boot-2")
    with pytest.raises(Conflict):
        hosts.link_agent(actor=SETUP, agent=second, host=first.host)
    assert Host.objects.count() == 2


def test_an_answer_that_was_lost_can_be_asked_again() -> None:
    _row, plain = agents.create_enrolment_token(actor=SETUP, name="once")
    sent: Any = {
        "plain_token": plain,
        "identity": an_identity(),
        "facts": some_facts(),
        "boot_id": "b",
        "address": "::1",
    }
    first, lost = agents.enrol(**sent)
    again, secret = agents.enrol(**sent)
    assert (again.pk, EnrolmentToken.objects.get().used_count) == (first.pk, 1)
    assert agents.authenticate(again.public_id, secret)
    with pytest.raises(DomainError):
        agents.authenticate(first.public_id, lost)
    agents.touch(agent_id=again.pk, boot_id="b", address="::1", clock_offset=0)
    with pytest.raises(DomainError) as refusal:
        agents.enrol(**sent)
    assert refusal.value.status in {401, 409}


RACE = """
import json, threading
import django
django.setup()
from django.db import connection
from adminset.audit import SystemActor
from cmdb.models import Agent, EnrolmentToken, Host
from cmdb.services import agents
from tests.cmdb.conftest import an_identity, some_facts
_row, plain = agents.create_enrolment_token(actor=SystemActor("test"), name="x", use_limit=9)
errors = []
def report():
    try:
        agents.enrol(plain_token=plain, identity=an_identity(), facts=some_facts(), boot_id="b", address="::1")
    except Exception as error:
        errors.append(repr(error))
    finally:
        connection.close()
threads = [threading.Thread(target=report) for _ in range(6)]
[t.start() for t in threads]
[t.join() for t in threads]
used = EnrolmentToken.objects.get().used_count
print(json.dumps([Host.objects.count(), Agent.objects.count(), used, errors]))
"""


def test_parallel_first_reports_of_one_machine_make_one_host(tmp_path: Path) -> None:
    """Against a database in a file: one in memory has no second connection to race with."""
    template.copy_to(tmp_path / "race.sqlite3")
    there = {"DATABASE_URL": f"sqlite:///{tmp_path}/race.sqlite3"}
    there |= {"ADMINSET_DATA_DIR": str(tmp_path)}
    there |= {"DJANGO_SETTINGS_MODULE": "adminset.settings"}
    done = subprocess.run(
        [sys.executable, "-c", RACE],
        cwd=ROOT,
        env=os.environ | there,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == [1, 1, 1, []]
