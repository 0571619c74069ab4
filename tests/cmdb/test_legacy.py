"""AdminSet's own addresses: closed by default, answered to the letter, and no way past identity, limits and people."""

import json
from typing import Any

import pytest

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Agent, Host, HostGroup, LegacyMachine
from cmdb.services import admission
from tests.factories import make_host

pytestmark = pytest.mark.django_db
TOKEN = "k3y-of-all-agents"
DONE = "Post asset data to server successfully!"
REFUSED = "Post forbidden, your token error!!"
EVIL = "$(touch /tmp/owned); {{ 7*7 }} <script>__import__('os').system('id')</script>"


def report(**values: Any) -> dict[str, Any]:
    """What the agent of AdminSet 0.62 sends."""
    return {
        "token": TOKEN,
        "hostname": "old-1",
        "ip": "10.7.7.7",
        "sn": "SN-OLD-1",
        "vendor": "Dell Inc.",
        "product": "PowerEdge R620",
        "osver": "CentOS Linux 7.9.2009 Core",
        "cpu_model": "Xeon",
        "cpu_num": 16,
        "cpu_physical": 2,
        "memory": 64,
        "disk": "['Disk /dev/sda: 20 GiB, 21474836480 bytes', 'Disk /dev/sdb: 1.5 TiB']",
        "agent_version": "1.0",
        **values,
    }


@pytest.fixture(autouse=True)
def _switched_on(settings: Any) -> None:
    settings.LEGACY_AGENTS, settings.LEGACY_TOKEN = True, TOKEN


def post(client: Any, body: Any, path: str = "/cmdb/collect") -> tuple[int, str]:
    """Send a report as old agents do."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post(path, data, content_type="application/json")
    return answer.status_code, answer.content.decode()


def admit(admin: User) -> Host:
    """Let the one waiting machine in."""
    return admission.admit(actor=admin, agent=Agent.objects.get())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/cmdb/collect"),
        ("post", "/monitor/received/sys/info/"),
        ("get", f"/cmdb/gethost/?name=all&token={TOKEN}"),
        ("get", f"/cmdb/getgroup/?name=all&token={TOKEN}"),
    ],
)
def test_all_is_closed_unless_switched_on(
    client: Any, settings: Any, method: str, path: str
) -> None:
    settings.LEGACY_AGENTS = False
    answer = getattr(client, method)(path, report(), content_type="application/json")
    assert answer.status_code == 404
    assert not Agent.objects.exists()


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], None, 7, ["x"], {"a": 1}])
def test_a_wrong_token_is_refused_in_adminsets_words(client: Any, token: Any) -> None:
    assert post(client, report(token=token)) == (403, REFUSED)
    for path in ("gethost", "getgroup"):
        answer = client.get(f"/cmdb/{path}/", {"name": "all", "token": str(token)})
        assert (answer.status_code, answer.content.decode()) == (403, REFUSED)
        assert client.get(f"/cmdb/{path}/?name=all").status_code == 403
    assert not Agent.objects.exists()


def test_an_empty_token_of_ours_opens_nothing(client: Any, settings: Any) -> None:
    settings.LEGACY_TOKEN = ""
    assert post(client, report(token="")) == (403, REFUSED)


def test_guessing_is_slowed_down(client: Any, settings: Any) -> None:
    settings.TOKEN_FAILURES = 3
    statuses = [post(client, report(token=f"x{n}"))[0] for n in range(5)]
    assert statuses == [403, 403, 403, 429, 429]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b'"text"',
        b"{}",
        b"[" * 100_000,
        json.dumps({"token": TOKEN}).encode(),
        json.dumps(report(hostname="a b; rm -rf /")).encode(),
        json.dumps(report(hostname="x" * 300)).encode(),
    ],
)
def test_what_cannot_be_read_is_400(client: Any, body: bytes) -> None:
    assert post(client, body) == (400, "Invalid JSON data or missing token")
    assert not Agent.objects.exists()


def test_a_report_that_is_too_large_is_413(client: Any, settings: Any) -> None:
    settings.AGENT_MAX_BODY_BYTES = 1024
    assert post(client, report(disk="x" * 2000))[0] == 413


@pytest.mark.parametrize("name", ["ip", "hostname"])
def test_an_empty_name_or_address_is_answered_as_adminset_did(
    client: Any, name: str
) -> None:
    words = "Error your agent ip or hostname is empty! Please resolve your hostname."
    assert post(client, report(**{name: ""})) == (200, words)
    assert not Agent.objects.exists()


def test_a_machine_waits_until_a_person_lets_it_in(client: Any, admin: User) -> None:
    assert post(client, report()) == (200, DONE)
    agent = Agent.objects.get()
    assert agent.is_waiting
    assert not Host.objects.exists()
    assert AuditEntry.objects.get(verb="agent.wait").actor_kind == "agent"
    host = admit(admin)
    assert (host.hostname, host.address, host.serial) == (
        "old-1",
        "10.7.7.7",
        "SN-OLD-1",
    )
    assert (host.os_name, host.os_version) == ("CentOS Linux", "7.9.2009")
    assert (host.cpu_threads, host.memory_bytes) == (16, 64 * 2**30)
    assert host.disk_bytes == 20 * 2**30 + int(1.5 * 2**40)
    assert host.vendor == "Dell Inc."


def test_later_reports_are_taken_in_like_any_other(client: Any, admin: User) -> None:
    post(client, report())
    host = admit(admin)
    before = AuditEntry.objects.count()
    assert post(client, report()) == (200, DONE)
    assert AuditEntry.objects.count() == before
    assert post(client, report(memory=128, osver="CentOS Linux 8")) == (200, DONE)
    host.refresh_from_db()
    assert (host.memory_bytes, host.os_version) == (128 * 2**30, "8")
    line = AuditEntry.objects.get(verb="host.report")
    assert line.actor_kind == "agent"
    assert {c["field"] for c in line.changes} == {"memory_bytes", "os_version"}


def test_what_a_person_set_stays(client: Any, admin: User) -> None:
    post(client, report())
    host = admit(admin)
    host.vendor, host.locked_fields = "Ours", ["vendor"]
    host.save()
    post(client, report(vendor="Theirs"))
    host.refresh_from_db()
    assert host.vendor == "Ours"


def test_a_name_never_leads_to_a_host(client: Any, admin: User) -> None:
    mine = make_host("old-1", address="10.7.7.7", serial="SN-OLD-1", vendor="Mine")
    post(client, report())
    mine.refresh_from_db()
    assert mine.vendor == "Mine"
    assert not hasattr(mine, "agent")
    assert admit(admin) != mine
    # Another machine of the same name is another agent, which waits again.
    post(client, report(sn="OTHER-2", vendor="Evil"))
    assert LegacyMachine.objects.count() == 2
    assert Agent.objects.waiting().count() == 1
    assert not Host.objects.filter(vendor="Evil").exists()


def test_a_machine_that_was_turned_away_stays_away(client: Any, admin: User) -> None:
    post(client, report())
    admission.refuse(actor=admin, agent=Agent.objects.get())
    assert post(client, report()) == (403, REFUSED)
    assert not Host.objects.exists()


def test_networks_and_numbers_bound_who_comes_in(client: Any, settings: Any) -> None:
    settings.ENROL_NETWORKS = ["192.0.2.0/24"]
    assert post(client, report()) == (403, REFUSED)
    settings.ENROL_NETWORKS = []
    settings.LEGACY_MAX_AGENTS = 1
    assert post(client, report())[0] == 200
    assert post(client, report(hostname="old-2"))[0] == 429
    assert LegacyMachine.objects.count() == 1


def test_nothing_that_is_said_runs(client: Any, admin: User, client_of: Any) -> None:
    hostile = report(
        vendor=EVIL, osver=EVIL, cpu_model=EVIL, disk=EVIL, sn=EVIL, ip=EVIL
    )
    assert post(client, hostile) == (200, DONE)
    host = admit(admin)
    page = client_of(admin).get(f"/cmdb/hosts/{host.pk}/").content.decode()
    assert "<script>__import__" not in page
    assert host.address is None


def test_nobody_speaks_as_it_by_our_own_protocol(client: Any, admin: User) -> None:
    post(client, report())
    admit(admin)
    agent = Agent.objects.get()
    for secret in ("", "x"):
        answer = client.post(
            "/api/agent/v1/facts",
            b"{}",
            content_type="application/json",
            HTTP_AUTHORIZATION=f"Bearer {agent.public_id}.{secret}",
        )
        assert answer.status_code == 403


def test_scripts_get_hosts_as_adminset_gave_them(client: Any) -> None:
    make_host("web-1", address="10.0.0.1")
    make_host("by-name", address=None)
    found = client.get(f"/cmdb/gethost/?name=all&token={TOKEN}").json()
    members = [
        {"hostname": "web-1", "ipaddr": "10.0.0.1"},
        {"hostname": "by-name", "ipaddr": ""},
    ]
    assert found == [{"hostname": "all", "members": members}]
    one = client.get(f"/cmdb/gethost/?name=web-1&token={TOKEN}").json()
    data = {"hostname": "web-1", "ip": "10.0.0.1"}
    assert one == {"status": 0, "message": "ok", "data": data}
    unknown = client.get(f"/cmdb/gethost/?name=%00x&token={TOKEN}")
    assert unknown.status_code == 404
    assert client.get(f"/cmdb/gethost/?token={TOKEN}").status_code == 400


def test_scripts_get_groups_as_adminset_meant_to_give_them(
    client: Any, group: HostGroup, other_group: HostGroup
) -> None:
    make_host("web-1", address="10.0.0.1", groups=[group])
    member = {"hostname": "web-1", "ipaddr": "10.0.0.1"}
    one = client.get(f"/cmdb/getgroup/?name=web&token={TOKEN}").json()
    assert one == [{"host_group": "web", "members": [member]}]
    every = client.get(f"/cmdb/getgroup/?name=all&token={TOKEN}").json()
    assert sorted(each["host_group"] for each in every) == ["database", "web"]
    assert client.get(f"/cmdb/getgroup/?name=x&token={TOKEN}").status_code == 404


def test_other_methods_are_refused(client: Any) -> None:
    assert client.get(f"/cmdb/collect?token={TOKEN}").status_code == 405
    assert client.post(f"/cmdb/gethost/?name=all&token={TOKEN}").status_code == 405
