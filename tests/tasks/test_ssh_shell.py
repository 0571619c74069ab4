"""A shell on a real sshd: what is typed, what comes back, its size, its end, and how it becomes root."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from paramiko.buffered_pipe import BufferedPipe

from tasks.ssh.jumps import dial
from tasks.ssh.shell import WINDOW_BYTES, Shell, Size, open_shell
from tasks.ssh.ways import Patience
from tasks.targets import HostRefusedError, Login, Target
from tests.farm import SshFarm, throw_away_user
from tests.tasks.doors import remaining

PATIENCE = Patience(10)


class Typist:
    """Somebody at a shell, who reads until something is there."""

    def __init__(self, target: Target, become: bool = False) -> None:
        self.shell = open_shell(
            target, PATIENCE, dial, Size(100, 30), become, character_type="C.UTF-8"
        )
        self.said = b""
        self.ended = False
        self._woken = threading.Event()
        self.shell.on_ready(self._woken.set)

    def type(self, text: str) -> None:
        data = text.encode()
        while data:
            data = data[self.shell.write(data) :]

    def until(self, text: str, seconds: float = 15) -> bytes:
        """Read on until a text is there, and give all up to its end."""
        deadline = time.monotonic() + seconds
        while text.encode() not in self.said and not self.ended:
            assert time.monotonic() < deadline, self.said[-500:]
            self._woken.clear()
            piece = self.shell.read(64 * 1024)
            if piece is None:
                self.ended = True
            elif piece:
                self.said += piece
            else:
                self._woken.wait(0.5)
        found, mark, self.said = self.said.partition(text.encode())
        return found + mark

    def close(self) -> None:
        self.shell.close()


@pytest.fixture
def typist(three_servers: SshFarm) -> Iterator[Typist]:
    made = Typist(three_servers.target(three_servers.hosts[0]))
    yield made
    made.close()


def test_what_is_typed_comes_back_and_runs_in_any_script(typist: Typist) -> None:
    typist.type("echo 温度 $TERM $((40+2))\n")
    assert "温度 xterm-256color 42".encode() in typist.until("color 42")


def test_the_terminal_has_the_size_that_it_was_given_and_gets(typist: Typist) -> None:
    typist.type("stty size\n")
    assert typist.until("30 100").endswith(b"30 100")
    typist.shell.resize(77, 11)
    typist.type("stty size\n")
    assert typist.until("11 77").endswith(b"11 77")


def test_its_end_is_told_after_its_last_word(typist: Typist) -> None:
    typist.type("echo last$((1+1)); exit 7\n")
    assert b"last2" in typist.until("never")
    assert typist.ended
    assert typist.shell.exit_code == 7


def test_a_flood_that_nobody_reads_waits_on_the_host(typist: Typist) -> None:
    typist.type("yes\n")
    typist.until("y\r\ny\r\n")
    buffer = typist.shell._channel.in_buffer
    settled = [len(buffer), -1]
    while settled[0] != settled[1]:
        time.sleep(0.3)
        settled = [len(buffer), settled[0]]
    assert len(buffer) <= WINDOW_BYTES
    typist.type("\x03echo over$((1+1))\n")
    typist.until("over2")


def test_what_a_program_does_not_read_is_not_taken(typist: Typist) -> None:
    typist.type("stty raw -echo; sleep 30 # mark-of-the-sleeper\n")
    block, taken = b"x" * 65536, 0
    for _number in range(200):
        sent = typist.shell.write(block)
        taken += sent
        if not sent:
            break
    assert taken < 200 * len(block), "all was taken, whoever reads it"


def test_hanging_up_ends_what_hangs_on_the_terminal(typist: Typist) -> None:
    typist.type("sleep 4711.5\n")
    typist.until("4711.5")
    typist.close()
    assert remaining("sleep 4711.5") == []


def test_a_changed_key_is_refused_before_anything_is_offered(
    three_servers: SshFarm,
) -> None:
    first, second, _third = three_servers.hosts
    target = three_servers.target(first, host_key=second.host_key)
    with pytest.raises(HostRefusedError, match="changed: pinned SHA256"):
        Typist(target)


def test_without_a_way_to_become_root_it_is_not_tried(three_servers: SshFarm) -> None:
    target = three_servers.target(three_servers.hosts[0])
    with pytest.raises(HostRefusedError, match="no way to become root"):
        Typist(target, become=True)


def test_a_shell_through_a_jump_host(three_servers: SshFarm) -> None:
    first, second, _third = three_servers.hosts
    jump = three_servers.target(first)
    typist = Typist(three_servers.target(second, jump=jump))
    typist.type("echo through$((1+1))\n")
    assert typist.until("through2").endswith(b"through2")
    typist.close()


@pytest.fixture(scope="module")
def sudoer(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Target]]:
    """Give a target whose user may become root by a password, or as a rule of sudoers says."""
    if shutil.which("sudo") is None:
        pytest.skip("sudo is missing: apt-get install sudo")
    folder = tmp_path_factory.mktemp("farm")
    with (
        throw_away_user() as (name, password),
        SshFarm(1, folder, with_password=True) as farm,
    ):
        rule = Path(f"/etc/sudoers.d/{name}")
        login = Login(name, password, None, None, "sudo", password)
        target = farm.target(farm.hosts[0], login=login)

        def made(right: str = "ALL", **changes: str) -> Target:
            rule.write_text(f"{name} ALL=(ALL) {right}\n" if right else "")
            rule.chmod(0o440)
            return replace(target, login=replace(login, **changes))

        yield made
        rule.unlink(missing_ok=True)


@pytest.mark.parametrize("right", ["ALL", "NOPASSWD: ALL"])
def test_it_becomes_root_by_sudo_and_the_password_shows_nowhere(
    sudoer: Callable[..., Target], right: str
) -> None:
    target = sudoer(right)
    typist = Typist(target, become=True)
    typist.type("echo I am $(id -un), $HOME; exit\n")
    said = typist.until("never")
    assert b"I am root, /root" in said
    password = target.login.become_password or ""
    assert password.encode() not in said
    assert remaining(password, seconds=0) == []


@pytest.mark.parametrize(
    ("right", "changes", "words"),
    [
        ("ALL", {"become_password": "wrong"}, "did not take the password"),
        ("", {}, "did not let .* become root"),
        ("ALL", {"become_user": "-u"}, "begins with -"),
    ],
)
def test_sudo_that_refuses_is_told_and_nothing_stays_open(
    sudoer: Callable[..., Target], right: str, changes: dict[str, str], words: str
) -> None:
    target = sudoer(right, **changes)
    with pytest.raises(HostRefusedError, match=words) as refused:
        Typist(target, become=True)
    assert "wrong" not in str(refused.value)
    assert (target.login.password or "") not in str(refused.value)


def test_a_shell_that_is_closed_takes_and_gives_nothing(typist: Typist) -> None:
    shell: Shell = typist.shell
    shell.close()
    shell.write(b"echo nothing\n")
    shell.resize(10, 10)
    while shell.read(1000):
        pass
    assert shell.read(1000) is None


def test_the_last_words_are_there_when_the_host_can_be_told_nothing_any_more() -> None:
    said: Any = BufferedPipe()
    said.feed(b"last words")

    def gone(_count: int) -> int:
        raise OSError("the connection is gone")

    channel: Any = SimpleNamespace(
        in_buffer=said,
        closed=True,
        recv_ready=said.read_ready,
        settimeout=lambda _seconds: None,
        _check_add_window=gone,
    )
    connection: Any = SimpleNamespace(alive=False)
    shell = Shell(connection, channel)
    assert shell.read(4) == b"last"
    assert shell.read(1000) == b" words"
    assert shell.read(1000) is None
