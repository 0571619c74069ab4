"""What the SSH door says when it cannot do what was asked: the cause, then the cure."""

from __future__ import annotations

import shlex
import socket

from tasks.targets import Target

# Linux refuses a single argument of 128 KiB; quoting needs some of it.
LONGEST_COMMAND = 64 * 1024


def command_refusal(target: Target, command: str) -> str:
    """Return why a command is not even tried on a host, or an empty text."""
    if "\0" in command:
        return "The command holds a NUL character, which no shell can run. Remove it."
    if len(shlex.quote(command).encode(errors="replace")) > LONGEST_COMMAND:
        return "The command is longer than 64 KiB. Put it into a script and run that."
    if target.login.become_method not in ("", "sudo"):
        return (
            f"Commands on {target.label} can become root by sudo only. Choose sudo in "
            "its credential, or use Ansible."
        )
    return ""


def connect_sentence(error: Exception, label: str, timeout: float) -> str:
    """Return the sentence for a TCP connection that failed; `timeout` in seconds."""
    if isinstance(error, (socket.gaierror, UnicodeError)):
        return (
            f"The address of {label} is not known to DNS. Correct the address of the "
            "host, or add it to DNS."
        )
    if isinstance(error, ConnectionRefusedError):
        return f"{label} refuses the connection. Start sshd there, or correct the port."
    if isinstance(error, TimeoutError):
        return (
            f"{label} did not answer within {timeout:g} s. Check the address, that "
            "the machine is on, and the firewalls on the way."
        )
    cause = getattr(error, "strerror", None) or error
    return f"{label} cannot be reached: {cause}. Check the address and the network."


def sign_in_sentence(target: Target, tried: list[str]) -> str:
    """Return the sentence for a host that took none of the proofs in `tried`."""
    if not tried:
        return (
            f"The credential of {target.label} has neither a private key nor a "
            "password. Add one of them."
        )
    return (
        f"{target.label} refused the sign-in of {target.login.user} by "
        f"{' and '.join(tried)}. Correct the credential, or let the host accept it "
        "(authorized_keys, PasswordAuthentication, AllowUsers)."
    )
