"""Which sessions somebody may replay, export or search, and which of them a request is about."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from tasks.models import TerminalSession


def find_session(user: Any, pk: int, action: str) -> TerminalSession:
    """Get a session on which the user may do the action.

    Raises:
        Http404: there is none.
    """
    rows = TerminalSession.objects.visible_to(user, action)
    session = rows.filter(pk=pk).first()
    if session is None:
        raise Http404(_("There is no such session."))
    return session


def recorded(user: Any, action: str = "replay") -> QuerySet[TerminalSession]:
    """Give the sessions with a recording that the user may replay or export."""
    rows = TerminalSession.objects.visible_to(user, action)
    return rows.filter(recording_key__isnull=False)
