"""Files to the stdin of a script by OpenSSH itself: by password, through a jump host, as root; and its ends."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.legs.hearing import Ear
from tasks.ssh import streams
from tasks.ssh.jumps import _forget
from tasks.ssh.lines import Script
from tasks.ssh.openssh import Client
from tasks.ssh.pool import POOL
from tasks.ssh.streams import Feed, Source, run_stream
from tasks.ssh.terms import Terms
from tasks.targets import CommandResult, Login, Target
from tests.farm import SshFarm, throw_away_user
from tests.tasks.doors import Output, alive, remaining, wait_until

MARK = "0123456789abcdef" * 2
TAKE = 'id -un; echo "@$AS_MARK ready 10"; wc -c'


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    _forget()
    yield
    POOL.close()


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[SshFarm]:
    with SshFarm(2, tmp_path / "farm", extra="LogLevel VERBOSE") as made:
        yield made


class Sender:
    """Sends one file by OpenSSH only: where that does not come through, the test fails."""

    def __init__(self, folder: Path, size: int = 300_000) -> None:
        self.folder = folder / "private"
        (self.folder / "c").mkdir(parents=True, mode=0o700)
        self.source = Source(folder / "file", size)
        self.source.path.write_bytes(os.urandom(size))
        self.client = Client(self.folder, self.folder / "c", 60)
        self.output = Output()

    def send(
        self, target: Target, script: str = TAKE, **terms: object
    ) -> CommandResult:
        ear = Ear(MARK, self.output, [], self.source.size)
        feed = Feed(
            Script(script, environment={"AS_MARK": MARK}),
            self.source,
            ear,
            "t" * 32,
            self.client,
        )
        made = Terms(ear, **({"timeout": 60.0} | terms))  # type: ignore[arg-type]
        return run_stream(target, feed, made)


@pytest.fixture
def sender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sender:
    monkeypatch.setattr(
        streams, "_by_paramiko", lambda job: pytest.fail("not by OpenSSH")
    )
    return Sender(tmp_path)


def test_through_a_jump_host_whose_key_is_pinned_too(
    farm: SshFarm, sender: Sender
) -> None:
    jump = farm.target(farm.hosts[0])
    result = sender.send(farm.target(farm.hosts[1], jump=jump))
    assert result.status == "ok", sender.output.pieces
    assert sender.output.of("stdout").split()[-1] == b"299990"
    assert "Accepted publickey" in farm.hosts[0].log()
    wrong = replace(jump, host_key=farm.hosts[1].host_key)
    with pytest.raises(pytest.fail.Exception):
        sender.send(farm.target(farm.hosts[1], jump=wrong))


def test_by_a_password_as_root_and_neither_is_in_any_list_of_processes(
    tmp_path: Path, sender: Sender
) -> None:
    if shutil.which("sudo") is None:
        pytest.skip("sudo is missing: apt-get install sudo")
    with (
        throw_away_user() as (name, password),
        SshFarm(1, tmp_path / "farm", with_password=True) as farm,
    ):
        rule = Path(f"/etc/sudoers.d/{name}")
        rule.write_text(f"{name} ALL=(ALL) ALL\n")
        rule.chmod(0o440)
        try:
            login = Login(name, password, None, None, "sudo", password)
            target = farm.target(farm.hosts[0], login=login)
            script = 'id -un; echo "@$AS_MARK ready 10"; wc -c; ps axeww; cat "$0"'
            result = sender.send(target, script)
            assert result.status == "ok", sender.output.pieces
            said = sender.output.of("stdout").decode(errors="replace")
            assert said.split()[:2] == ["root", "299990"]
            assert password not in said
            wrong = replace(login, become_password="nonsense-word")
            refused = sender.send(replace(target, login=wrong))
            assert refused.status == "failed", refused
            assert "sleep" not in refused.explanation
        finally:
            rule.unlink()
    left = [path for path in sender.folder.rglob("*") if path.is_file()]
    assert [path.name for path in left if path.name in {"key", "secret", "ask"}] == []


@pytest.mark.parametrize("how", ["cancelled", "timed_out"])
def test_what_is_ended_ends_on_the_host_too(
    farm: SshFarm, sender: Sender, how: str
) -> None:
    marker = {"cancelled": "63.171", "timed_out": "63.172"}[how]
    stop = threading.Event()
    script = f'echo "@$AS_MARK ready 10"; sleep {marker} & wait'
    ended: list[CommandResult] = []
    terms = {"cancelled": stop.is_set, "timeout": 60.0 if how == "cancelled" else 4.0}
    work = threading.Thread(
        target=lambda: ended.append(
            sender.send(farm.target(farm.hosts[0]), script, **terms)
        )
    )
    work.start()
    if how == "cancelled":
        wait_until(lambda: alive(f"sleep {marker}"))
        stop.set()
    work.join(60)
    assert ended[0].status == how
    assert "Its processes there have ended." in ended[0].explanation
    assert remaining(f"sleep {marker}") == []


def test_a_host_whose_shell_says_something_first_is_no_trouble(
    farm: SshFarm, sender: Sender
) -> None:
    script = 'echo early >&2; echo "@$AS_MARK ready 300000"; cat; echo late >&2; exit 9'
    result = sender.send(farm.target(farm.hosts[0]), script)
    assert (result.status, result.exit_code) == ("failed", 9)
    assert sender.output.of("stderr").endswith(b"early\nlate\n")
    assert sender.output.of("stdout") == b""
