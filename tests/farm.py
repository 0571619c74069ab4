"""A farm of real sshd processes on loopback addresses, for tests and figures."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tasks.targets import Login, Target

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
READY_SECONDS = 10.0
# Of this process only: several workers may test at the same time.
TEST_USER = f"adminset-test-{os.getpid()}"

# Of a keyword sshd takes the first value, so what a test wants otherwise stands first.
CONFIG = """\
{extra}
{listen}
PidFile none
{host_keys}
AuthorizedKeysFile {authorized}
StrictModes no
UsePAM no
PasswordAuthentication {password}
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
{startups}
MaxSessions 100
LogLevel ERROR
Subsystem sftp internal-sftp
Match User {runner}
SetEnv HOME={home} LANG=C.UTF-8
"""


def why_not() -> str:
    """Return why no farm can be started here, or an empty text."""
    if SSHD is None:
        return "sshd is missing: apt-get install openssh-server"
    if shutil.which("ssh-keygen") is None:
        return "ssh-keygen is missing: apt-get install openssh-client"
    return ""


def make_key(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """Make a key pair at `path` (and `path`.pub), anew when there is one."""
    path.unlink(missing_ok=True)
    size = {"rsa": ("-b", "2048"), "ecdsa": ("-b", "256")}.get(kind, ())
    command = ["ssh-keygen", "-q", "-t", kind, *size, "-N", passphrase, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def public_key(path: Path) -> str:
    """Return "ssh-ed25519 AAAA..." of the pair at `path`."""
    return " ".join(path.with_name(path.name + ".pub").read_text().split()[:2])


def free_port(address: str) -> int:
    """Return a port nobody listens on at `address`."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


@dataclass
class FarmHost:
    """One sshd: where it listens, which keys it shows, the process that serves."""

    name: str
    address: str
    port: int
    directory: Path
    keys: list[Path]
    process: subprocess.Popen[bytes] | None = None
    # All addresses that it listens on; sshd takes 16.
    addresses: tuple[str, ...] = ()

    @property
    def host_key(self) -> str:
        """Return the first public host key, as it would be pinned."""
        return public_key(self.keys[0])

    def log(self) -> str:
        """Return what sshd wrote so far."""
        return (self.directory / "sshd.log").read_text()

    def children(self) -> list[psutil.Process]:
        """Return all processes that live below this sshd."""
        if self.process is None:
            return []
        return psutil.Process(self.process.pid).children(recursive=True)


class SshFarm:
    """Starts `count` sshd processes; use it as a context manager.

    `spread` gives each host so many addresses of its own (127.0.0.1, 127.0.0.2, ...; 16 at most).
    `key_kinds` are the host keys each server shows. The user who runs the tests
    (or `user`) signs in by key; `with_password` also takes passwords. `extra` are lines of sshd_config.
    """

    def __init__(
        self,
        count: int,
        directory: Path,
        *,
        spread: int = 0,
        key_kinds: tuple[str, ...] = ("ed25519",),
        with_password: bool = False,
        extra: str = "",
        user: str = "",
    ) -> None:
        self.directory = directory
        self.extra = extra
        self.with_password = with_password
        self.user = user or pwd.getpwuid(os.getuid()).pw_name
        self.hosts: list[FarmHost] = []
        self._plan = (count, spread, key_kinds)

    def __enter__(self) -> SshFarm:
        if reason := why_not():
            pytest.skip(reason)
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.client_key = make_key(self.directory / "client")
        self.authorize(self.client_key)
        count, spread, kinds = self._plan
        try:
            for index in range(count):
                first = index * spread
                numbers = range(first, first + spread)
                own = [f"127.0.{n // 250}.{n % 250 + 1}" for n in numbers]
                self._add(index, own or ["127.0.0.1"], kinds)
            for host in self.hosts:
                self._start(host)
            for host in self.hosts:
                self._await(host)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def authorize(self, key: Path) -> None:
        """Let a key pair sign in on every host of the farm, from now on."""
        with (self.directory / "authorized_keys").open("a") as file:
            file.write(public_key(key) + "\n")

    def login(self, **changes: object) -> Login:
        """Return the login by the farm's client key, with `changes`."""
        values: dict[str, object] = {
            "user": self.user,
            "private_key": self.client_key.read_text(),
        }
        return Login(**(values | changes))  # type: ignore[arg-type]

    def target(self, host: FarmHost, **changes: object) -> Target:
        """Return a host of the farm as a target whose key is pinned, with `changes`."""
        values: dict[str, object] = {
            "name": host.name,
            "address": host.address,
            "port": host.port,
            "login": self.login(),
            "host_key": host.host_key,
        }
        return Target(**(values | changes))  # type: ignore[arg-type]

    def targets(self) -> list[Target]:
        """Return all hosts as targets."""
        return [self.target(host) for host in self.hosts]

    def places(self) -> list[tuple[str, str, int, str]]:
        """Return (name, address, port, host key) of every address of every server."""
        return [
            (f"{host.name}-{number}", address, host.port, host.host_key)
            for host in self.hosts
            for number, address in enumerate(host.addresses)
        ]

    def restart_with_new_key(self, host: FarmHost) -> None:
        """Give a host a new key on the same port, as a re-installed machine has."""
        self.halt(host)
        for key in host.keys:
            make_key(key, key.name.removeprefix("host_"))
        self._start(host)
        self._await(host)

    def stop(self) -> None:
        """End every sshd and all that it started."""
        for host in self.hosts:
            self.halt(host)

    def restart(self, host: FarmHost) -> None:
        """Start a host again that was halted."""
        self._start(host)
        self._await(host)

    def _add(self, index: int, addresses: list[str], kinds: tuple[str, ...]) -> None:
        directory = self.directory / f"host{index}"
        directory.mkdir()
        keys = [make_key(directory / f"host_{kind}", kind) for kind in kinds]
        port = free_port(addresses[0])
        host = FarmHost(f"host{index}", addresses[0], port, directory, keys)
        host.addresses = tuple(addresses)
        self.hosts.append(host)

    def _start(self, host: FarmHost) -> None:
        config = host.directory / "sshd_config"
        answer = "yes" if self.with_password else "no"
        config.write_text(
            CONFIG.format(
                extra=self.extra,
                # Of this one it takes the last.
                startups="" if "MaxStartups" in self.extra else "MaxStartups 500",
                listen="\n".join(
                    f"ListenAddress {address}:{host.port}" for address in host.addresses
                ),
                host_keys="\n".join(f"HostKey {key}" for key in host.keys),
                authorized=self.directory / "authorized_keys",
                password=answer,
                runner=pwd.getpwuid(os.getuid()).pw_name,
                home=self._home(),
            )
        )
        log = (host.directory / "sshd.log").open("ab")
        with log:
            host.process = subprocess.Popen(
                [str(SSHD), "-D", "-e", "-f", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _home(self) -> Path:
        """Make the home of who runs the tests: what his own shell does when it starts (pyenv takes a lock) is no part of a test."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        return home

    def _await(self, host: FarmHost) -> None:
        """Wait until the server greets; connecting tells, not the clock."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if _greets(host):
                return
            if host.process is not None and host.process.poll() is not None:
                break
            time.sleep(0.02)
        log = (host.directory / "sshd.log").read_text()
        raise RuntimeError(f"sshd of {host.name} does not answer: {log}")

    def halt(self, host: FarmHost) -> None:
        """End one sshd and all that it started."""
        if host.process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in host.children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(host.process.pid, signal.SIGKILL)
        host.process.wait()
        host.process = None


def _greets(host: FarmHost) -> bool:
    with contextlib.suppress(OSError):
        sock = socket.create_connection((host.address, host.port), 1)
        with sock:
            return sock.recv(4) == b"SSH-"
    return False


@contextlib.contextmanager
def throw_away_user(name: str = TEST_USER) -> Iterator[tuple[str, str]]:
    """Make a system user with a random password, as root; give (name, password)."""
    if os.getuid() != 0 or shutil.which("useradd") is None:
        pytest.skip("a user with a password can be made by root only (useradd)")
    password = secrets.token_urlsafe(12)
    _quiet("userdel", "-r", name)
    made = _quiet("useradd", "-m", "-s", "/bin/sh", name)
    if made.returncode:
        pytest.skip(f"useradd failed: {made.stderr.decode()}")
    try:
        _quiet("chpasswd", given=f"{name}:{password}\n")
        yield name, password
    finally:
        for process in psutil.process_iter(["username"]):
            if process.info["username"] == name:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        _quiet("userdel", "-r", name)


def _quiet(*command: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command, input=given.encode(), capture_output=True, check=False
    )
