"""What an agent's reports do to its host, and what they cannot do."""

import time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from adminset.errors import DomainError
from adminset.models import AuditEntry
from cmdb.models import Agent, Host
from cmdb.overview import clock_offset
from cmdb.services import agents, hosts
from tests.cmdb.conftest import SETUP, Enrol, an_identity, fall_silent, some_facts

pytestmark = pytest.mark.django_db


def _report(agent: Agent, secret: str, boot_id: str = "boot-1", **facts: Any) -> str:
    return agents.absorb_facts(
        agent=agents.authenticate(agent.public_id, secret),
        facts=some_facts(**facts),
        identity=an_identity(),
        boot_id=boot_id,
        sent_at=time.time(),
        address="10.1.2.3",
    )


def test_facts_without_a_change_are_one_update_and_no_audit_line(enrol: Enrol) -> None:
    agent, secret = enrol()
    fall_silent(agent)
    agents.authenticate(agent.public_id, secret)
    lines = AuditEntry.objects.count()
    with CaptureQueriesContext(connection) as queries:
        assert _report(agent, secret, booted_at=1_700_000_000.9) == "unchanged"
    writes = [q for q in queries if not q["sql"].startswith("SELECT")]
    assert len(writes) == 1
    assert writes[0]["sql"].startswith('UPDATE "cmdb_agent"')
    assert len(queries) == 2
    assert AuditEntry.objects.count() == lines
    agent.refresh_from_db()
    assert agent.is_live


def test_a_change_is_one_line_with_old_and_new_values(enrol: Enrol) -> None:
    agent, secret = enrol()
    lines = AuditEntry.objects.count()
    assert _report(agent, secret, cpu_threads=32, kernel="6.1.1") == "changed"
    line = AuditEntry.objects.first()
    assert AuditEntry.objects.count() == lines + 1
    assert line is not None
    assert (line.verb, line.actor_kind) == ("host.report", "agent")
    assert {"field": "cpu_threads", "old": 16, "new": 32} in line.changes
    assert {"field": "kernel", "old": "6.1.0", "new": "6.1.1"} in line.changes
    assert len(line.changes) == 2
    assert _report(agent, secret, cpu_threads=32, kernel="6.1.1") == "unchanged"


def test_a_name_that_a_person_has_set_stays(
    enrol: Enrol, admin: User, client_of: Any
) -> None:
    agent, secret = enrol()
    client = client_of(admin)
    page = f"/cmdb/hosts/{agent.host_id}/edit/"
    form = client.get(page).context["form"]
    sent = {k: v for k, v in form.initial.items() if v not in (None, "", [])}
    assert client.post(page, sent | {"hostname": "web-one"}).status_code == 302
    host = Host.objects.get()
    assert host.locked_fields == ["hostname"]
    assert _report(agent, secret, hostname="web-2", os_version="13") == "changed"
    host.refresh_from_db()
    assert (host.hostname, host.os_version) == ("web-one", "13")
    text = client.get(f"/cmdb/hosts/{host.pk}/").content.decode()
    assert "the agent says web-2" in text


def test_a_field_that_a_person_empties_is_the_agents_again(
    enrol: Enrol, admin: User, client_of: Any
) -> None:
    agent, secret = enrol()
    page = f"/api/v1/hosts/{agent.host_id}/"
    client = client_of(admin)

    def patch(**values: Any) -> int:
        answer = client.patch(page, values, content_type="application/json")
        return int(answer.status_code)

    assert patch(vendor="ACME") == 200
    assert Host.objects.get().locked_fields == ["vendor"]
    assert patch(vendor="") == 200
    assert _report(agent, secret) == "changed"
    assert Host.objects.get().vendor == "Dell Inc."


def test_loopback_is_an_address_only_where_there_is_no_other(enrol: Enrol) -> None:
    nic = {"name": "eth0", "addresses": [{"address": "192.0.2.7", "prefix": 24}]}
    facts = some_facts(primary_address="127.0.0.1", nics=[nic])
    assert enrol({}, facts, "a")[0].host.address == "192.0.2.7"  # type: ignore[union-attr]
    alone = some_facts(primary_address="127.0.0.1", nics=[])
    assert enrol({}, alone, "b")[0].host.address == "127.0.0.1"  # type: ignore[union-attr]


def test_a_revoked_agent_is_refused_within_five_seconds(
    enrol: Enrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, secret = enrol()
    agents.authenticate(agent.public_id, secret)
    Agent.objects.filter(pk=agent.pk).update(revoked_at="2026-01-01T00:00:00Z")
    with CaptureQueriesContext(connection) as queries:
        agents.authenticate(agent.public_id, secret)
    assert len(queries) == 0
    later = time.monotonic() + 5.01
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with pytest.raises(DomainError) as refusal:
        agents.authenticate(agent.public_id, secret)
    assert (refusal.value.status, refusal.value.code) == (401, "unknown_agent")


def test_revoking_here_is_seen_here_at_once(
    enrol: Enrol, django_capture_on_commit_callbacks: Any
) -> None:
    agent, secret = enrol()
    agents.authenticate(agent.public_id, secret)
    with django_capture_on_commit_callbacks(execute=True):
        agents.revoke(actor=SETUP, agent=agent)
    with pytest.raises(DomainError):
        agents.authenticate(agent.public_id, secret)
    assert AuditEntry.objects.filter(verb="agent.revoke").count() == 1


def test_a_wrong_secret_gets_the_seeds_words_and_is_not_remembered(
    enrol: Enrol,
) -> None:
    agent, secret = enrol()
    for _again in range(2):
        with pytest.raises(DomainError) as refusal:
            agents.authenticate(agent.public_id, secret + "x")
        assert refusal.value.status == 403
        assert refusal.value.code == "wrong_token"
        assert refusal.value.message == "Post forbidden, your token error!!"
    assert agents.authenticate(agent.public_id, secret).pk == agent.pk


@pytest.mark.parametrize("agent_id", ["", "x", "\x00", "a" * 5000, "%s{0}"])
def test_an_agent_that_does_not_exist_is_unknown(agent_id: str) -> None:
    with pytest.raises(DomainError) as refusal:
        agents.authenticate(agent_id, "secret")
    assert refusal.value.status == 401


def test_the_agent_of_a_deleted_host_is_unknown(
    enrol: Enrol, django_capture_on_commit_callbacks: Any
) -> None:
    agent, secret = enrol()
    known = agents.authenticate(agent.public_id, secret)
    with django_capture_on_commit_callbacks(execute=True):
        hosts.delete_host(actor=SETUP, instance=Host.objects.get())
    with pytest.raises(DomainError) as refusal:
        agents.authenticate(agent.public_id, secret)
    assert refusal.value.status == 401
    with pytest.raises(DomainError) as refusal:
        agents.absorb_facts(
            agent=known,
            facts=some_facts(kernel="x"),
            identity={},
            boot_id="b",
            sent_at=0,
            address="",
        )
    assert refusal.value.status == 401
    assert not Host.objects.exists()


def test_touching_writes_once_in_half_a_minute(enrol: Enrol) -> None:
    agent, _secret = enrol()
    touch = {"agent_id": agent.pk, "boot_id": "boot-1", "address": "::1"}
    with CaptureQueriesContext(connection) as queries:
        for _again in range(5):
            agents.touch(**touch, clock_offset=1.5)  # type: ignore[arg-type]
    assert len(queries) == 1
    agent.refresh_from_db()
    assert (agent.boot_id, agent.clock_offset_seconds) == ("boot-1", 1.5)


def test_what_is_remembered_stays_bounded() -> None:
    recent = agents.Recent(60, 10)
    for number in range(100):
        recent.put(number, number)
    assert len(recent._kept) == 10
    assert recent.get(99) == 99


HOSTILE = "<script>alert(1)</script>{{7*7}}\x00\x1b[31m\ud800\"'" + "x" * 9000


def test_hostile_facts_become_short_plain_text(
    enrol: Enrol, admin: User, client_of: Any
) -> None:
    texts = dict.fromkeys(
        ("hostname", "os_name", "kernel", "vendor", "cpu_model", "time_zone"), HOSTILE
    )
    lists = {
        "disks": [{"name": HOSTILE, "size_bytes": -5, "model": [1]}, "x", None],
        "nics": [{"name": HOSTILE, "addresses": [{"address": HOSTILE}, 5]}],
        "cpu_threads": 2**80,
        "memory_bytes": float("nan"),
        "swap_bytes": True,
        "primary_address": "not an address",
        "unknown": HOSTILE,
    }
    agent, _secret = enrol({"serial": HOSTILE, "macs": HOSTILE}, {**texts, **lists})
    host = Host.objects.get()
    assert len(host.hostname) <= 253
    assert len(host.os_name) <= 200
    assert "\x1b" not in host.hostname
    assert (host.cpu_threads, host.memory_bytes, host.swap_bytes) == (None, None, None)
    assert "unknown" not in host.facts
    client = client_of(admin)
    for address in (
        "/cmdb/hosts/",
        f"/cmdb/hosts/{host.pk}/",
        f"/cmdb/hosts/{host.pk}/history/",
        f"/cmdb/hosts/{host.pk}/edit/",
        f"/cmdb/agents/{agent.pk}/",
        "/cmdb/agents/",
        "/cmdb/card/",
    ):
        answer = client.get(address)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.content.decode()


def test_facts_of_the_wrong_kind_altogether_are_no_error(enrol: Enrol) -> None:
    agent, _secret = enrol(
        {"machine_id": 5, "macs": {"a": 1}}, {"disks": "x", "nics": 5}
    )
    assert agent.host is not None
    assert agent.host.hostname.startswith("host-")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, ""), (0.4, ""), (90, "1 min 30 s ahead"), (-90, "1 min 30 s behind")],
)
def test_a_clock_that_is_off_is_named(seconds: float | None, said: str) -> None:
    assert clock_offset(seconds) == said
