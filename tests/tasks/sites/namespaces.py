"""Network namespaces for tests: each has a network of its own, with one link to this machine and no way to the others."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from tests.farm import SshFarm

CLONE_NEWNET = 0x40000000
T = TypeVar("T")


def why_not() -> str:
    """Say why no namespace can be made here, or give an empty text."""
    if os.getuid() != 0:
        return "network namespaces can be made by root only"
    missing = [name for name in ("ip", "unshare", "nsenter") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} is missing: apt-get install iproute2 util-linux"
    if subprocess.run(["unshare", "-n", "true"], check=False).returncode:
        return "this machine does not allow network namespaces"
    return ""


class Namespace:
    """A network of its own: 10.202.<number>.0/24 lies inside it; 10.201.<number>.1 is this machine as seen from there."""

    def __init__(self, number: int) -> None:
        if reason := why_not():
            pytest.skip(reason)
        self.number = number
        self.outside = f"10.201.{number}.1"
        self.inside = f"10.202.{number}."
        # The network lives as long as the process in it, and its link goes with it.
        self.keeper = subprocess.Popen(["unshare", "-n", "sleep", "3600"])
        self._worker = ThreadPoolExecutor(1)
        try:
            self._link()
            self._worker.submit(self._enter).result()
        except BaseException:
            self.close()
            raise

    def _link(self) -> None:
        pid, name = str(self.keeper.pid), f"as{os.getpid() % 10**7}v{self.number}"
        while (
            Path(f"/proc/{pid}/ns/net").readlink()
            == Path("/proc/self/ns/net").readlink()
        ):
            assert self.keeper.poll() is None
        ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", pid)
        ip("address", "add", f"{self.outside}/30", "dev", name)
        ip("link", "set", name, "up")
        for words in (
            f"address add 10.201.{self.number}.2/30 dev eth0",
            "link set eth0 up",
            f"address add {self.inside}1/24 dev lo",
            "link set lo up",
        ):
            ip(*words.split(), pid=pid)

    def _enter(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/proc/{self.keeper.pid}/ns/net").open() as network:
            if libc.setns(network.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

    def do(self, act: Callable[[], T]) -> T:
        """Do something inside: sockets and processes that it makes belong there."""
        return self._worker.submit(act).result()

    def close(self) -> None:
        """End it."""
        self._worker.shutdown()
        self.keeper.kill()
        self.keeper.wait()


def ip(*words: str, pid: str = "") -> None:
    """Run ip, in the network of a process where one is named."""
    before = ["nsenter", "-t", pid, "-n"] if pid else []
    subprocess.run([*before, "ip", *words], check=True)


class FarmInside(SshFarm):
    """A farm of sshd servers in a namespace, each on an address of its own."""

    def __init__(self, namespace: Namespace, name: str, directory: Path) -> None:
        super().__init__(2, directory)
        self._namespace = namespace
        self._name = name

    def _add(self, index: int, addresses: list[str], kinds: tuple[str, ...]) -> None:
        super()._add(index, [f"{self._namespace.inside}{index + 1}"], kinds)
        self.hosts[-1].name = f"{self._name}{index + 1}"
