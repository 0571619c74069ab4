"""Ends what an earlier worker, which was lost, left running on a host, before the same begins there anew."""

from __future__ import annotations

from tasks.ssh.channels import confirms_end
from tasks.ssh.commands import Clock, refused_end
from tasks.ssh.jumps import dial
from tasks.ssh.pool import connected
from tasks.ssh.terms import Terms
from tasks.targets import CommandResult, HostRefusedError, Target


def end_leftovers(target: Target, token: str, terms: Terms) -> CommandResult | None:
    """End the processes that bear a mark; None once none of them is left, else why the work cannot begin."""
    clock = Clock()
    try:
        with connected(target, terms.patience, dial) as connection:
            if confirms_end(connection, token):
                return None
    except HostRefusedError as refused:
        return clock.result(*refused_end(refused, terms))
    words = (
        f"A worker was lost while this ran on {target.label}, and the host did not confirm that it ended there: "
        "look on the host before you repeat it."
    )
    return clock.result("failed", words)
