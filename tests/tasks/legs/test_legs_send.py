"""Files on their way to the programs of legs: whole, again from where they broke off, and not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cmdb.models import Host
from tasks import output
from tasks.legs.asking import SendFile
from tasks.legs.reading import reports
from tasks.legs.sending import Sending
from tasks.models import Run
from tasks.services.claim import Watch
from tasks.services.execute import execute_run
from tasks.ssh.streams import Source
from tests.tasks.conftest import results
from tests.tasks.legs.cutting import Cutter

pytestmark = pytest.mark.django_db
Do = Callable[..., Run]
# Keeps what came in $PART, asks for the rest, and says what it has then.
RECEIVE = r"""
umask 077
part=$PART
[ -e "$part" ] || : >"$part"
at=$(wc -c <"$part")
echo "hello"
echo "@$AS_MARK ready $((at))"
cat >>"$part" || exit 76
set -- $(sha256sum "$part")
echo "@$AS_MARK sha256 $1"
echo "@$AS_MARK from $((at))"
[ "$1" = "$SHA256" ] || exit 76
echo "received"
"""


@pytest.fixture
def big(tmp_path: Path) -> SendFile:
    """30 MB that nobody can compress."""
    return made(tmp_path / "big.pack", 30_000_000)


def made(path: Path, size: int) -> SendFile:
    data = os.urandom(size)
    path.write_bytes(data)
    return SendFile(path, hashlib.sha256(data).hexdigest(), size)


def wanted(one: SendFile, hosts: list[Host], tmp_path: Path) -> dict[str, object]:
    """What a leg wants that receives a file on these hosts."""
    parts = {
        host.pk: {"PART": str(tmp_path / f"part-{host.hostname}")} for host in hosts
    }
    return {
        "on": hosts,
        "values": {"SHA256": one.sha256},
        "host_values": parts,
        "send": dict.fromkeys([host.pk for host in hosts], one),
    }


def text_of(run: Run) -> dict[str, str]:
    return {
        row.host_name: output.read(run.pk, row.pk, 0).text for row in run.hosts.all()
    }


@pytest.mark.parametrize("way", ["openssh", "paramiko"])
def test_a_file_comes_whole_by_either_way(
    do_leg: Do,
    hosts: list[Host],
    big: SendFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    if way == "paramiko":
        monkeypatch.setattr("tasks.legs.sending.shutil.which", lambda name: None)
    run = do_leg(RECEIVE, **wanted(big, hosts, tmp_path))
    assert results(run) == dict.fromkeys(["host0", "host1", "host2"], ("ok", 0)), (
        text_of(run)
    )
    for host in hosts:
        told = reports(run)[host.pk]
        assert dict(told.said) == {"sha256": big.sha256, "from": "0"}
        assert (told.sent, told.size) == (big.size, big.size)
        assert (tmp_path / f"part-{host.hostname}").stat().st_size == big.size
    assert set(text_of(run).values()) == {"hello\nreceived\n"}
    private = tmp_path / "runs" / "private"
    assert not [one for one in private.rglob("*") if one.is_file()]


def test_bytes_go_by_openssh_where_it_is_there(
    do_leg: Do, hosts: list[Host], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.ssh.streams._by_paramiko", None)
    one = made(tmp_path / "small.pack", 100_000)
    run = do_leg(RECEIVE, **wanted(one, hosts, tmp_path))
    assert (run.status, run.ok_count) == ("ok", 3)


def test_a_host_that_openssh_does_not_reach_says_why_by_the_other_way(
    do_leg: Do, hosts: list[Host], tmp_path: Path
) -> None:
    one = made(tmp_path / "small.pack", 1000)
    Host.objects.filter(pk=hosts[0].pk).update(host_key=hosts[1].host_key)
    Host.objects.filter(pk=hosts[1].pk).update(address="127.0.0.1", ssh_port=1)
    run = do_leg(RECEIVE, **wanted(one, hosts, tmp_path))
    words = dict(run.hosts.values_list("host_name", "explanation"))
    assert {name: end for name, (end, _code) in results(run).items()} == {
        "host0": "unreachable",
        "host1": "unreachable",
        "host2": "ok",
    }
    assert "The key of host0" in words["host0"]
    assert "host1 (127.0.0.1:1)" in words["host1"]
    assert not (tmp_path / "part-host0").exists()


@pytest.mark.parametrize("way", ["openssh", "paramiko"])
def test_what_broke_off_in_the_middle_goes_on_from_there(
    do_leg: Do,
    hosts: list[Host],
    big: SendFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    if way == "paramiko":
        monkeypatch.setattr("tasks.legs.sending.shutil.which", lambda name: None)
    cutter = Cutter(hosts[0].ssh_port, after=12_000_000)
    Host.objects.filter(pk=hosts[0].pk).update(ssh_port=cutter.port)
    try:
        run = do_leg(RECEIVE, **wanted(big, hosts[:1], tmp_path))
    finally:
        cutter.close()
    assert results(run) == {"host0": ("ok", 0)}, text_of(run)
    told = reports(run)[hosts[0].pk]
    assert 0 < int(told.said["from"]) <= 12_000_000
    assert told.said["sha256"] == big.sha256
    assert told.sent == big.size
    part = tmp_path / "part-host0"
    assert hashlib.sha256(part.read_bytes()).hexdigest() == big.sha256


def test_a_leg_that_is_not_repeatable_is_not_tried_again(
    do_leg: Do, hosts: list[Host], big: SendFile, tmp_path: Path
) -> None:
    cutter = Cutter(hosts[0].ssh_port, after=5_000_000, cuts=9)
    Host.objects.filter(pk=hosts[0].pk).update(ssh_port=cutter.port)
    try:
        run = do_leg(RECEIVE, repeatable=False, **wanted(big, hosts[:1], tmp_path))
    finally:
        cutter.close()
    assert results(run) == {"host0": ("unreachable", None)}
    assert cutter.connections == 1
    assert "is not known" in run.hosts.get().explanation


def test_a_host_without_room_says_so_by_its_exit_code(
    do_leg: Do, hosts: list[Host], big: SendFile, tmp_path: Path
) -> None:
    full = 'echo "@$AS_MARK ready 0"\nhead -c 1000000 >/dev/null\necho "no space left" >&2\nexit 76'
    run = do_leg(full, **wanted(big, hosts, tmp_path))
    assert set(results(run).values()) == {("failed", 76)}
    assert set(text_of(run).values()) == {"no space left\n"}
    assert all(told.sent < big.size for told in reports(run).values())


def test_a_program_that_never_asks_gets_nothing(
    do_leg: Do, hosts: list[Host], tmp_path: Path
) -> None:
    one = made(tmp_path / "small.pack", 1000)
    run = do_leg('echo "@$AS_MARK live x"', **wanted(one, hosts, tmp_path))
    assert run.status == "ok"
    assert {told.sent for told in reports(run).values()} == {0}


def test_a_file_that_is_gone_or_not_whole_goes_nowhere(
    ask_leg: Do, hosts: list[Host], tmp_path: Path, settings: Any
) -> None:
    one = made(tmp_path / "small.pack", 1000)
    gone = SendFile(tmp_path / "gone.pack", one.sha256, 1000)
    runs = [
        ask_leg(RECEIVE, **wanted(file, hosts[:1], tmp_path)) for file in (one, gone)
    ]
    (tmp_path / "small.pack").write_bytes(b"cut")
    for run in runs:
        execute_run(pk=run.pk, worker="test")
        assert results(run) == {"host0": ("failed", None)}
        assert "not there any more" in run.hosts.get().explanation
    settings.RUN_SENDS_OUTPUT = True
    words = Sending(SimpleNamespace(run=runs[1])).missing(Source(Path(gone.path), 1000))  # type: ignore[arg-type]
    assert "ADMINSET_ARTEFACTS_DIR" in words
    assert not (tmp_path / "part-host0").exists()


def test_progress_is_told_while_bytes_go(
    ask_leg: Do,
    hosts: list[Host],
    big: SendFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The program takes a part and waits until the row says how far it is."""
    go_on = tmp_path / "go-on"
    slow = (
        'echo "@$AS_MARK ready 0"\nhead -c 1000000 >/dev/null\n'
        'while [ ! -e "$GO" ]; do sleep 0.1; done\ncat >/dev/null'
    )
    more = wanted(big, hosts[:1], tmp_path) | {"values": {"GO": str(go_on)}}
    run = ask_leg(slow, **more)
    seen: list[tuple[int, int]] = []
    real = Watch._ask

    def asked(self: Watch, now: float) -> None:
        told = reports(run)[hosts[0].pk]
        if told.sent:
            seen.append((told.sent, told.size))
            go_on.touch()
        real(self, now)

    monkeypatch.setattr(Watch, "_ask", asked)
    execute_run(pk=run.pk, worker="test")
    assert results(run) == {"host0": ("ok", 0)}
    assert 1_000_000 <= seen[0][0] < big.size
    assert seen[0][1] == big.size
