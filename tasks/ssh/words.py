"""What the SSH door says when it cannot do what was asked: the cause, then the cure."""

from __future__ import annotations

import shlex
import socket

from tasks.targets import Target

# Linux refuses a single argument of 128 KiB; quoting needs some of it.
LONGEST_COMMAND = 64 * 1024
# Reasons of RFC 4254, 5.1.
FORBIDDEN = 1
NOT_CONNECTED = 2


def command_refusal(target: Target, command: str) -> str:
    """Return why a command is not even tried on a host, or an empty text."""
    if "\0" in command:
        return "The command holds a NUL character, which no shell can run. Remove it."
    if len(shlex.quote(command).encode(errors="replace")) > LONGEST_COMMAND:
        return "The command is longer than 64 KiB. Put it into a script and run that."
    return become_refusal(target)


def become_refusal(target: Target) -> str:
    """Return why nothing is even tried on a host because of how it becomes another user, or an empty text."""
    if target.login.become_method not in ("", "sudo"):
        return (
            f"Commands on {target.label} can become root by sudo only. Choose sudo in "
            "its credential, or use Ansible."
        )
    if target.login.become_user.startswith("-"):
        return f"The user to become on {target.label} has a name that begins with -."
    return ""


def mark_sentence(said: str, target: Target) -> str:
    """Return the sentence for what the portal's own part on a host said: "missing python3", "nowhere", "full", "cut"."""
    word, _, rest = said.partition(" ")
    if word == "missing":
        return (
            f"{rest[:200]} is not installed on {target.label}, so the script was not run. "
            "Install it there, or name another interpreter in the script's first line."
        )
    if word == "nowhere":
        return (
            f"No folder for the script could be made on {target.label} (/tmp, /var/tmp "
            "and the home are read-only or full)."
        )
    if word == "full":
        return f"The script could not be written on {target.label}: its disk is full."
    return f"The script did not arrive whole on {target.label}, so it was not run."


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


def tunnel_sentence(
    error: Exception, target: Target, jump: Target, timeout: float
) -> str:
    """Return the sentence for a host that its jump host, which works, does not lead to."""
    code = getattr(error, "code", 0)
    if code == FORBIDDEN:
        return (
            f"The jump host {jump.label} leads {jump.login.user} nowhere. Allow it "
            f"there (AllowTcpForwarding, PermitOpen {target.address}:{target.port})."
        )
    if code == NOT_CONNECTED:
        return (
            f"{target.label} cannot be reached from the jump host {jump.label}. Check "
            "the address, the port, and that sshd runs there."
        )
    return (
        f"{target.label} did not answer through the jump host {jump.label} within "
        f"{timeout:g} s. Check the address and the firewalls between the two."
    )


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
