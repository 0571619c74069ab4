"""How a terminal ends: in which state, with which words; its recording is sealed and its end written down."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from adminset import context
from tasks.models import TerminalSession
from tasks.terminal import ledger
from tasks.terminal.dialogue import Dialogue
from tasks.terminal.ledger import Count, Ending
from tasks.terminal.tape import Tape
from tasks.terminal.viewers import WELL

State = TerminalSession.State
logger = logging.getLogger(__name__)


class OverError(Exception):
    """The terminal ends: in this state, for this reason; its pages' sockets close with this code."""

    def __init__(self, state: str, words: str, code: int = WELL) -> None:
        super().__init__(words)
        self.state = state
        self.code = code


def write_down(
    dialogue: Dialogue, tape: Tape | None, over: OverError, count: Count
) -> None:
    """Seal the recording, and write down what was entered and the end: all of it or nothing.

    Where that fails the lease runs out, and the reaper says what became of it.
    """
    session = dialogue.session
    refused = over.state == State.REFUSED
    verb = "terminal.refuse" if refused else "terminal.end"
    try:
        with _from_its_address(session), transaction.atomic():
            if tape is not None:
                tape.close()
            dialogue.write_down()
            ledger.end(session, Ending(over.state, str(over), verb, count))
    except Exception:
        logger.exception("the end of terminal %s is not written", session.pk)


@contextmanager
def _from_its_address(session: TerminalSession) -> Iterator[None]:
    """Let the trail tell the address of the terminal's page, whichever thread writes."""
    address = session.client_address or ""
    token = context.current.set(context.RequestContext(address=address))
    try:
        yield
    finally:
        context.current.reset(token)
