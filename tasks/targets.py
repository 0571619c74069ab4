"""Where work runs and how it ended: the plain data that both doors to hosts share."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

BecomeMethod = Literal["", "sudo", "su"]
CommandStatus = Literal["ok", "failed", "unreachable", "timed_out", "cancelled"]
HostStatus = Literal[
    "ok", "failed", "unreachable", "not_started", "cancelled", "timed_out"
]

KEY_TYPES = frozenset(
    {
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
    }
)


class HostRefusedError(Exception):
    """A host that is not spoken to; the text says why and what to do about it, `limit` which time-out it was, if one."""

    def __init__(self, words: str, limit: str = "") -> None:
        super().__init__(words)
        self.limit = limit


@dataclass(frozen=True)
class Login:
    """Who signs in to a host, with what, and how it becomes root. Never shown."""

    user: str
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    passphrase: str | None = field(default=None, repr=False)
    become_method: BecomeMethod = ""
    become_password: str | None = field(default=None, repr=False)
    # Root where it is empty.
    become_user: str = ""

    def secrets(self) -> list[str]:
        """Return every secret text of this login, for redaction."""
        values = (
            self.password,
            self.private_key,
            self.passphrase,
            self.become_password,
        )
        return [value for value in values if value]


@dataclass(frozen=True)
class HostKey:
    """A host's public key: `public` is "ssh-ed25519 AAAA...", as in known_hosts."""

    algorithm: str
    public: str
    fingerprint_sha256: str

    @classmethod
    def parse(cls, text: str) -> HostKey:
        """Read "ssh-ed25519 AAAA... [comment]"; raise ValueError for anything else."""
        algorithm, _, rest = text.strip().partition(" ")
        encoded = rest.split(" ")[0]
        try:
            blob = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("not a public key in OpenSSH's form") from error
        name = algorithm.encode()
        if algorithm not in KEY_TYPES or blob[4 : 4 + len(name)] != name:
            raise ValueError("not a public key in OpenSSH's form")
        digest = base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
        return cls(algorithm, f"{algorithm} {encoded}", f"SHA256:{digest}")

    def wire_algorithms(self) -> tuple[str, ...]:
        """Return the signature algorithms to ask a server for, so that it shows this key."""
        if self.algorithm == "ssh-rsa":
            return ("rsa-sha2-512", "rsa-sha2-256")
        return (self.algorithm,)


@dataclass(frozen=True)
class Target:
    """One host as a run sees it. `host_key` is the pinned key, None before acceptance.

    `variables` reach playbooks as text that is never evaluated as a template. `jump` is the host through which it is
    reached, with its own login and pinned key. `queue` names the workers who pass the connection on, "" where it is opened here.
    """

    name: str
    address: str
    port: int
    login: Login
    host_key: str | None
    variables: Mapping[str, object] = field(default_factory=dict, repr=False)
    jump: Target | None = None
    queue: str = ""

    @property
    def label(self) -> str:
        """Return "web1 (10.0.0.1:22)", the words used in every sentence."""
        return f"{self.name} ({self.address}:{self.port})"


@dataclass(frozen=True)
class CommandResult:
    """How one command on one host ended; `explanation` is a whole sentence, `limit` the time-out (connect, idle, host)."""

    exit_code: int | None
    status: CommandStatus
    explanation: str
    started_at: datetime
    ended_at: datetime
    limit: str = ""


def pinned_key(target: Target, offered: str = "") -> HostKey:
    """Return the accepted key of a host.

    `offered` is the fingerprint the host shows now, when known. Raises HostRefusedError with
    the sentence for the operator when no usable key is accepted.
    """
    if not target.host_key:
        key = f"key {offered}" if offered else "its key"
        raise HostRefusedError(
            f"The key of {target.label} is not accepted yet. "
            f"Open the host and accept {key} first."
        )
    try:
        return HostKey.parse(target.host_key)
    except ValueError as error:
        raise HostRefusedError(
            f"The accepted key of {target.label} cannot be read. "
            "Open the host and accept its key again."
        ) from error


def changed_key_sentence(target: Target, pinned: HostKey, offered: str) -> str:
    """Return the sentence for a host that answers with another key than accepted."""
    return (
        f"The key of {target.label} changed: pinned {pinned.fingerprint_sha256}, "
        f"offered {offered or 'a key of another type'}. If the machine was "
        "re-installed, accept the new key on the host's page; else find out who answers."
    )
