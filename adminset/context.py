"""What is known of the request at hand anywhere below the view: its id, where it came from, and of what its writes are part."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class RequestContext:
    """Identity of one request, run or command, for audit lines and log lines.

    `act` is the word under which the trail keeps plain writes ("revert" makes "host.update" a "host.revert"), `reason` why.
    """

    request_id: str = ""
    address: str = ""
    browser: str = ""
    act: str = ""
    reason: str = ""


current: ContextVar[RequestContext] = ContextVar(
    "request_context", default=RequestContext()
)


@contextmanager
def acting(act: str, reason: str) -> Iterator[None]:
    """Let every line of the trail that is written meanwhile bear this act and this reason."""
    token = current.set(replace(current.get(), act=act, reason=reason))
    try:
        yield
    finally:
        current.reset(token)
