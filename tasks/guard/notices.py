"""What the rules had a word on, for the page that lists it; the trail is told by the terminal itself."""

from typing import Any

from django.db.models import QuerySet

from tasks.models import TerminalCommand, TerminalSession


def noticed_for(user: Any, *, own: bool) -> QuerySet[TerminalCommand]:
    """Give the commands that a rule had a word on, newest first, in sessions that the user may see.

    Args:
        own: only on hosts whose owner the user is.
    """
    sessions = TerminalSession.objects.visible_to(user)
    if own:
        sessions = sessions.filter(host__owner__iexact=user.username)
    rows = TerminalCommand.objects.filter(session__in=sessions.order_by().values("pk"))
    rows = rows.exclude(rule_name="").select_related("session")
    return rows.defer("session__recording_key").order_by("-entered_at", "-pk")
