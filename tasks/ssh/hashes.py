"""Has a host tell the SHA-256 of one of its files, as the login itself, never as root by sudo."""

from __future__ import annotations

import os
import re
import secrets
import shlex

from tasks.ssh.channels import follow, start, stop
from tasks.ssh.connect import Connection
from tasks.ssh.jumps import dial
from tasks.ssh.lines import Order, marked
from tasks.ssh.terms import Stream, Terms
from tasks.targets import HostRefusedError

# OpenSSL, which uses what the processor has for it (five times as fast as Debian's sha256sum), GNU and BusyBox, macOS, the BSDs.
_PROGRAMS = ("openssl dgst -sha256 -r", "sha256sum", "shasum -a 256", "sha256 -q")
_HASH = " || ".join(f'{program} <"$1" 2>/dev/null' for program in _PROGRAMS)
_DIGEST = re.compile(rb"\b[0-9a-f]{64}\b")
MOST_SAID = 4096


def sha256_there(connection: Connection, path: bytes, seconds: float) -> str | None:
    """Give the SHA-256 of a file as the host reads it; None where the host cannot tell: no shell, no program, too slow.

    A name that stands in a command line is an argument, whatever it is made of.
    """
    token = secrets.token_hex(16)
    words = marked(_HASH, token, os.fsdecode(path))
    order = Order(shlex.join(words), token=token, become=False)
    said = bytearray()

    def listen(data: bytes, stream: Stream) -> None:
        if stream == "stdout" and len(said) < MOST_SAID:
            said.extend(data)

    sound = connection.sound
    try:
        channel = start(connection, order)
    except HostRefusedError:
        # An account for SFTP alone runs nothing; its connection is as good as before.
        connection.sound = sound and connection.alive
        return None
    try:
        if follow(channel, Terms(listen, seconds)) != "ended":
            stop(connection, order, dial)
            return None
    finally:
        channel.close()
    found = _DIGEST.findall(bytes(said))
    return found[-1].decode() if found else None
