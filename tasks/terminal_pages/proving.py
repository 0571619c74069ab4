"""Whether somebody who comes to a terminal that is open has to prove once more who is there."""

from django.http import HttpRequest

from adminset.http import needs_proof
from tasks.models import TerminalSession
from tasks.terminal.judging import OWNER, may_type
from tasks.terminal.opening import is_known_from

TERMINAL = "cmdb.terminal_host"
WATCH = "tasks.watch_terminalsession"


def wants_proof(request: HttpRequest, session: TerminalSession, role: str) -> bool:
    """Say whether a fresh proof is due: of who may type there as for opening one, of others as for watching.

    The sign-in from which the owner opened it is spared: a network that was gone for a moment must not cost the shell.
    """
    if role == OWNER and is_known_from(session, request.session.session_key):
        return False
    types = may_type(request.user, session)
    return needs_proof(request, TERMINAL if types else WATCH)
