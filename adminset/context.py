"""What is known of the request at hand anywhere below the view: its id and where it came from."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class RequestContext:
    """Identity of one request, run or command, for audit lines and log lines."""

    request_id: str = ""
    address: str = ""
    browser: str = ""


current: ContextVar[RequestContext] = ContextVar(
    "request_context", default=RequestContext()
)
