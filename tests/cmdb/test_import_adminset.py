"""Coming from AdminSet: every field finds its place, nothing comes twice, a dry run writes nothing, no secret is told."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.apps import apps
from django.core.management import CommandError, call_command

from adminset.models import AuditEntry
from cmdb.models import (
    Cabinet,
    Contact,
    Contract,
    Credential,
    Host,
    HostGroup,
    Idc,
    ProductLine,
)
from tests.cmdb.old_adminset import (
    FIRST,
    HOSTILE,
    LATER,
    SECRET,
    make_database,
    rows_of_later,
)
from tests.factories import make_group, make_host

pytestmark = pytest.mark.django_db
Run = Callable[..., str]


@pytest.fixture
def private_key() -> str:
    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    return key.decode()


@pytest.fixture
def later(tmp_path: Path, private_key: str) -> str:
    return make_database(tmp_path / "old.db", LATER, rows_of_later(private_key))


@pytest.fixture
def run(capsys: Any) -> Run:
    def runner(url: str, *options: str) -> str:
        call_command("import_adminset", "--database-url", url, *options)
        told: str = capsys.readouterr().out
        return told

    return runner


def _counts() -> dict[str, int]:
    ours = apps.get_app_config("cmdb").get_models()
    models: list[Any] = [AuditEntry, *(each for each in ours if each._meta.managed)]
    return {each._meta.label: each._default_manager.count() for each in models}


def test_a_dry_run_tells_everything_and_writes_nothing(run: Run, later: str) -> None:
    before = _counts()
    told = run(later)
    assert "cmdb_host: 3 created, 0 updated, 0 unchanged, 0 problem" in told
    assert "A dry run: nothing was written." in told
    assert _counts() == before


def test_the_fields_of_a_host_come_over(run: Run, later: str) -> None:
    run(later, "--apply")
    host = Host.objects.get(hostname="web1")
    assert (host.address, host.asset_number, host.kind) == (
        "10.0.0.1",
        "ZC-001",
        "physical",
    )
    assert (host.os_name, host.os_version) == ("CentOS Linux", "7.6")
    assert (host.cpu_threads, host.memory_bytes) == (32, 64 * 2**30)
    assert host.disk_bytes == 300 * 2**30 + 2**40
    assert (host.vendor, host.serial, host.cpu_model) == ("Dell Inc.", "SN1", "Xeon")
    assert str(host.status) == "in use"
    assert str(host.cabinet) == "北京机房 / A01"
    assert host.custom == {
        "racked_on": "2018-01-02",
        "position": "U12",
        "other_addresses": "192.168.0.1, 172.16.0.1",
    }
    # AdminSet let a host stand in two cabinets.
    assert host.notes == "主机\ncabinet: 北京机房 / C01"
    assert host.locked_fields == []
    assert host.disputed is False


def test_what_cannot_be_read_stands_in_the_notes(run: Run, later: str) -> None:
    told = run(later, "--apply")
    host = Host.objects.get(hostname=HOSTILE[:50])
    assert host.address is None
    assert (host.memory_bytes, host.cpu_threads) == (None, None)
    for line in (
        "ip: not an address",
        "memory: plenty",
        "cpu_num: many",
        "asset_type: 9",
        "up_time: last year",
        "disk: __import__('os').system('touch /tmp/owned')",
        HOSTILE,
    ):
        assert line in host.notes
    assert "ip went to the notes" in told
    assert not Path("/tmp/owned").exists()  # noqa: S108 - what the disk of that row would make


def test_a_second_run_changes_nothing(run: Run, later: str) -> None:
    run(later, "--apply")
    before = (_counts(), list(Host.objects.values_list("pk", "updated_at")))
    told = run(later, "--apply")
    assert "created" in told
    for line in told.splitlines():
        if ": 0 created, " in line:
            assert "0 updated" in line, told
            assert "0 problem" in line, told
        else:
            assert " created, " not in line, line
    assert (_counts(), list(Host.objects.values_list("pk", "updated_at"))) == before


def test_secrets_are_sealed_and_nowhere_told(
    run: Run, later: str, private_key: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    told = run(later, "--apply", "--report", str(report))
    login: Any = Credential.objects.get(name="生产root")
    assert (login.username, login.port) == ("root", 2222)
    assert login.password.reveal() == SECRET
    assert login.private_key.reveal() == private_key
    cut_off: Any = Credential.objects.get(name="old")
    assert (cut_off.username, cut_off.private_key) == ("root", None)
    trail = str(list(AuditEntry.objects.values()))
    for secret in (SECRET.strip(), private_key[60:100], "hunter2", "plain-password"):
        assert secret not in told
        assert secret not in report.read_text()
        assert secret not in trail
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_the_report_keeps_the_projects_for_later(
    run: Run, later: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    run(later, "--report", str(path))
    report = json.loads(path.read_text())
    assert report["applied"] is False
    [project] = report["not_imported"]["appconf_project"]
    assert (project["name"], project["product"]) == ("商城", "电商平台")
    assert project["source_address"] == "https://••••@git.example.com/shop.git"
    assert report["left_out"] == {"cmdb_userinfo": 1}


def test_people_and_product_lines_come_over(run: Run, later: str) -> None:
    run(later, "--apply")
    contact = Contact.objects.get(name="张三")
    assert (contact.phone, contact.wechat) == ("13800000000", "zhangsan")
    # Longer than ours: the whole of it is kept.
    other = Contact.objects.get(name=HOSTILE[:50])
    assert (other.qq, other.notes) == ("", f"qq: {'9' * 60}")
    line = ProductLine.objects.get(name="电商平台")
    assert (line.code, line.owner, line.description) == ("product-1", "张三", "主站")
    assert ProductLine.objects.get(name="Web Shop").code == "web-shop"


def test_places_come_over(run: Run, later: str) -> None:
    run(later, "--apply")
    assert Idc.objects.get(code="bj-1").notes == "contact_phone: 138"
    assert Idc.objects.get(code="idc-2").notes == "jigui: 12个\nids: 上海"
    # Two rows of one name are one cabinet; one without an IDC takes that of its hosts, if they have one.
    twice = Cabinet.objects.get(name="A01")
    assert twice.notes == "first\nthe same again"
    assert str(Cabinet.objects.get(name="B01")) == "上海机房 / B01"
    assert str(Cabinet.objects.get(name="D01")) == "AdminSet / D01"


def test_groups_keep_their_hosts_apart(run: Run, later: str) -> None:
    make_group("web-服务器").hosts.add(make_host("mine"))
    run(later, "--apply")
    first = HostGroup.objects.get(name="web-服务器")
    assert set(first.hosts.values_list("hostname", flat=True)) == {
        "mine",
        "web1",
        HOSTILE[:50],
    }
    assert first.description == "name: web 服务器\n前端"
    second = HostGroup.objects.get(name="web-服务器-2")
    assert list(second.hosts.values_list("hostname", flat=True)) == ["db1"]


def test_contracts_come_over(run: Run, later: str) -> None:
    run(later, "--apply")
    row = Contract.objects.get(number="HT-1")
    assert (row.name, row.serial, row.spec) == ("专线", "R1", "100M")
    assert (row.budgeted, row.amount, row.currency) == (12000, 12000, "CNY")
    assert (str(row.starts_on), str(row.ends_on)) == ("2023-01-01", "2024-01-01")
    assert (str(row.supplier), str(row.branch), row.owner) == (
        "电信",
        "北京分公司",
        "张三",
    )
    assert Contract.objects.get(number="HT-1 / R2").name == "备线"
    backwards = Contract.objects.get(number="R3")
    assert backwards.ends_on is None
    assert "contract_end: 2023-01-01" in backwards.notes
    assert "budget: about 5" in backwards.notes


def test_every_write_stands_in_the_trail(run: Run, later: str) -> None:
    run(later, "--apply")
    entry = AuditEntry.objects.get(verb="host.create", target_name="web1")
    assert (entry.actor_kind, entry.actor_name) == ("system", "import_adminset")
    made = AuditEntry.objects.filter(actor_name="import_adminset")
    assert made.filter(verb="credential.create").count() == 2
    assert made.filter(verb="contract.create").count() == 3


def test_one_row_that_cannot_come_stops_all_unless_it_is_left_out(
    run: Run, tmp_path: Path
) -> None:
    rows = {
        "cmdb_host": [
            {"id": 1, "hostname": "web1", "ip": "10.0.0.1"},
            {"id": 2, "hostname": "  ", "ip": "10.0.0.2"},
            {"id": 3, "hostname": "web1 ", "ip": "10.0.0.3"},
        ]
    }
    url = make_database(tmp_path / "old.db", LATER, rows)
    with pytest.raises(CommandError, match="2 rows cannot be brought over"):
        run(url, "--apply")
    assert not Host.objects.exists()
    told = run(url, "--apply", "--skip-problems")
    assert "problem: cmdb_host 3 'web1': the same as row 1 of this table" in told
    assert Host.objects.get().address == "10.0.0.1"


def test_what_people_and_agents_said_here_stays(run: Run, tmp_path: Path) -> None:
    said: dict[str, Any] = {
        "facts": {"vendor": "HPE"},
        "vendor": "HPE",
        "notes": "ours",
    }
    make_host("web1", address="10.9.9.9", locked_fields=["address"], **said)
    row = {"id": 1, "hostname": "web1", "ip": "10.0.0.1", "vendor": "Dell", "sn": "S1"}
    url = make_database(
        tmp_path / "old.db", LATER, {"cmdb_host": [row | {"memo": "theirs"}]}
    )
    told = run(url, "--apply")
    host = Host.objects.get()
    assert (host.address, host.vendor, host.serial) == ("10.9.9.9", "HPE", "S1")
    assert host.notes == "ours\ntheirs"
    assert "vendor stays as it is here" in told


def test_the_first_0_5_comes_over(run: Run, tmp_path: Path) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        "cmdb_idc": [{"id": 1, "name": None, "address": None}],
        "cmdb_hostgroup": [{"id": 4, "name": "db", "desc": None}],
        "cmdb_host": [{"id": 1, "hostname": "db1", "ip": "10.0.0.1", "group_id": 4}],
    }
    run(make_database(tmp_path / "old.db", FIRST, rows), "--apply")
    assert HostGroup.objects.get(name="db").hosts.get().hostname == "db1"
    assert Idc.objects.get().name == "IDC 1"


def test_the_old_database_is_never_written(run: Run, later: str) -> None:
    path = Path(later.removeprefix("sqlite:///"))
    before = path.read_bytes()
    path.chmod(0o400)
    run(later, "--apply")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["old.db"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "makes no sense"),
        ("postgres://u:topsecret@h/d", "MySQL, MariaDB or SQLite only"),
        ("sqlite:////nowhere/old.db", "no such file"),
        ("mysql://u:topsecret@127.0.0.1:1/d", "cannot be read"),
        ("mysql://u:topsecret@127.0.0.1:port/d", "makes no sense"),
    ],
)
def test_a_wrong_address_is_one_sentence(run: Run, url: str, said: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(url)
    assert said in str(caught.value)
    assert "topsecret" not in str(caught.value)


def test_another_database_is_refused(run: Run, tmp_path: Path) -> None:
    ours = {"cmdb_host": "id integer PRIMARY KEY, hostname text, address text"}
    rows = {"cmdb_host": [{"id": 1, "hostname": "web1"}]}
    with pytest.raises(CommandError, match="not a database of AdminSet"):
        run(make_database(tmp_path / "ours.db", ours, rows))
    with pytest.raises(CommandError, match="no table of hosts"):
        run(make_database(tmp_path / "empty.db", {}, {}))
