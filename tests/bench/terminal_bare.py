"""The yardstick of terminals: a shell by paramiko alone, on a connection of its own, and nothing between it and who reads."""

import base64
import io
import time
from typing import Any

import paramiko

from tests.farm import FarmHost, SshFarm
from tests.simulation.terminal_page import ASK_PROMPT, PROMPT, SHELL

PATIENCE_SECONDS = 60
PIECE_BYTES = 64 * 1024


class Bare:
    """An interactive shell on a host of the farm, as `Page` is one through the portal."""

    def __init__(self, farm: SshFarm, host: FarmHost) -> None:
        key = base64.b64decode(host.host_key.split()[1])
        self._client = paramiko.SSHClient()
        known = paramiko.Ed25519Key(data=key)
        name = f"[{host.address}]:{host.port}"
        self._client.get_host_keys().add(name, "ssh-ed25519", known)
        text = io.StringIO(farm.client_key.read_text())
        own: dict[str, Any] = {"allow_agent": False, "look_for_keys": False}
        pkey = paramiko.Ed25519Key.from_private_key(text)
        self._client.connect(host.address, host.port, farm.user, pkey=pkey, **own)
        self._channel = self._client.invoke_shell("xterm-256color", 120, 40)
        self._channel.settimeout(PATIENCE_SECONDS)

    def type(self, data: bytes) -> None:
        """Send what is typed."""
        self._channel.sendall(data)

    def passes(self, mark: bytes) -> int:
        """Read until the output has a mark, and count the bytes; nothing is kept."""
        tail, size = b"", 0
        while mark not in tail:
            piece = self._channel.recv(PIECE_BYTES)
            size += len(piece)
            tail = tail[-len(mark) :] + piece
        return size

    def plain_shell(self) -> None:
        """Get to the prompt of a plain bash."""
        for line in (SHELL, ASK_PROMPT):
            self.settle()
            self.type(line)
        self.passes(PROMPT)
        self.settle()

    def echo(self, key: bytes) -> float:
        """Type a key and wait for its echo; give the milliseconds."""
        began = time.perf_counter()
        self._channel.send(key)
        while key not in self._channel.recv(PIECE_BYTES):
            pass
        return (time.perf_counter() - began) * 1000

    def settle(self, seconds: float = 0.3) -> None:
        """Read until nothing more comes for a moment."""
        self._channel.settimeout(seconds)
        try:
            while self._channel.recv(PIECE_BYTES):
                pass
        except TimeoutError:
            self._channel.settimeout(PATIENCE_SECONDS)

    def close(self) -> None:
        """Hang up."""
        self._client.close()
