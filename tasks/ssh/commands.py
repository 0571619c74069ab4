"""Runs a command or a script on a host and says in one sentence how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from tasks.ssh.channels import Ending, follow, start, stop
from tasks.ssh.connect import Channel, Connection
from tasks.ssh.jumps import dial
from tasks.ssh.lines import Order, Script, command_order, refusal, script_order
from tasks.ssh.pool import connected
from tasks.ssh.terms import OnOutput, Stream, Terms
from tasks.ssh.words import become_refusal, command_refusal, mark_sentence
from tasks.targets import CommandResult, CommandStatus, HostRefusedError, Target

End = tuple[CommandStatus, str, int | None, str]


class Clock:
    """Makes results that know when their work began."""

    def __init__(self) -> None:
        self._started = datetime.now(UTC)

    def result(
        self,
        status: CommandStatus,
        explanation: str,
        exit_code: int | None = None,
        limit: str = "",
    ) -> CommandResult:
        """Give the result of what ends now."""
        ended = datetime.now(UTC)
        return CommandResult(
            exit_code, status, explanation, self._started, ended, limit
        )


def run_command(
    target: Target,
    command: str,
    terms: Terms,
    environment: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run a shell command on a host and hand over its output as it arrives.

    `command` reaches /bin/sh on the host unchanged (64 KiB at most), with an empty
    stdin; the values of `environment` go there over stdin. Never raises for what a host does:
    the result's status and sentence say it.
    """
    words = command_refusal(target, command)
    words = words or refusal(Script("", environment=environment or {}))
    if words:
        return Clock().result("failed", words)
    return _run(target, command_order(target.login, command, environment), terms)


def run_script(
    target: Target, script: Script, terms: Terms, token: str = ""
) -> CommandResult:
    """Run a script on a host from a private folder that is removed afterwards; otherwise as `run_command`.

    Args:
        token: the mark of its processes, where others must find them too.
    """
    if words := become_refusal(target) or refusal(script):
        return Clock().result("failed", words)
    return _run(target, script_order(target.login, script, token), terms)


def _run(target: Target, order: Order, terms: Terms) -> CommandResult:
    clock = Clock()
    try:
        if terms.cancelled():
            words = f"Cancelled before {target.label} was reached."
            return clock.result("cancelled", words)
        with connected(target, terms.patience, dial) as connection:
            return clock.result(*_execute(connection, order, terms))
    except HostRefusedError as refused:
        return clock.result(*refused_end(refused, terms))


def refused_end(refused: HostRefusedError, terms: Terms) -> End:
    """Say how work ended that could not begin."""
    status: CommandStatus = "cancelled" if terms.cancelled() else "unreachable"
    return status, str(refused), None, refused.limit


def _execute(connection: Connection, order: Order, terms: Terms) -> End:
    marks = Marks(order.mark, terms.on_output)
    channel = start(connection, order)
    ending = follow(channel, replace(terms, on_output=marks))
    if ending != "ended":
        stopped = stop(connection, order, dial)
        return cut_short(ending, connection.target, terms, stopped)
    status, words, code, limit = finished(connection, channel)
    if marks.said:
        return "failed", mark_sentence(marks.said, connection.target), code, limit
    return status, words, code, limit


def cut_short(ending: Ending, target: Target, terms: Terms, stopped: str) -> End:
    """Say how work ended that did not end by itself."""
    label = target.label
    if ending == "cancelled":
        return "cancelled", f"Cancelled while it ran on {label}. {stopped}", None, ""
    if ending == "timed_out":
        text = f"{label} did not finish within the time-out of {terms.timeout:g} s."
        return "timed_out", f"{text} {stopped}", None, "host"
    if ending == "idle":
        text = f"{label} printed nothing for {terms.idle_timeout:g} s, the time-out without output."
        return "timed_out", f"{text} {stopped}", None, "idle"
    words = f"The output of {label} could not be taken in. {stopped}"
    return "failed", words, None, ""


def finished(connection: Connection, channel: Channel) -> End:
    """Say how work ended that ended by itself, and leave the connection fit for the next if it is."""
    label = connection.target.label
    code = channel.recv_exit_status()
    # What a daemon left behind still holds its channel.
    connection.sound = connection.sound and bool(channel.eof_received)
    channel.close()
    if code == 0:
        return "ok", f"Ended on {label} with exit code 0.", 0, ""
    if code > 0:
        return "failed", f"Ended on {label} with exit code {code}.", code, ""
    if connection.alive:
        words = f"Ended on {label} by a signal, without exit code."
        return "failed", words, None, ""
    return (
        "unreachable",
        f"The connection to {label} broke while the command ran; whether it goes on "
        "there is not known. Look on the host before you repeat it.",
        None,
        "",
    )


class Marks:
    """Hands output over, but for the line in which the portal's own part on the host says why it could not go on."""

    def __init__(self, mark: str, on_output: OnOutput) -> None:
        self.said = ""
        self._mark = mark.encode()
        self._on_output = on_output

    def __call__(self, data: bytes, stream: Stream) -> None:
        """Take a piece of output."""
        if self._mark and stream == "stderr" and self._mark in data:
            data, _, said = data.partition(self._mark)
            self.said = said.decode(errors="replace").strip()
        if data:
            self._on_output(data, stream)
