"""Questions about terminal sessions: what a list shows of them, who may look at all, who was invited, who has how many."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, Max, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from adminset.querysets import may
from adminset.unseen import visible
from cmdb.models import Host
from tasks.models import TerminalCommand, TerminalGuest, TerminalSession
from tasks.terminal.judging import OWNER, role_of

VIEW = "tasks.view_terminalsession"
WATCH = "tasks.watch_terminalsession"
TERMINAL = "cmdb.terminal_host"
# Of a command, on a page.
SHOWN_CHARACTERS = 4000


@dataclass(frozen=True)
class Held:
    """How many terminals somebody, or a process, has open.

    Attributes:
        most: how many it may have. idle: how long nobody has typed in the one that is idle the longest.
    """

    name: str
    count: int
    most: int
    idle: timedelta

    @property
    def is_full(self) -> bool:
        """Whether no other can be opened."""
        return self.count >= self.most


def for_list(rows: QuerySet) -> QuerySet:
    """Bring along the highest risk among a session's commands; asked for only of the rows of a page."""
    commands = TerminalCommand.objects.filter(session=OuterRef("pk")).order_by()
    highest = commands.values("session").annotate(most=Max("risk")).values("most")
    return rows.defer("recording_key").annotate(
        highest_risk=Coalesce(Subquery(highest), 0)
    )


def with_risk(rows: QuerySet, risk: int) -> QuerySet:
    """Narrow to sessions in which a command of so much risk, or more, was entered."""
    commands = TerminalCommand.objects.filter(session=OuterRef("pk"), risk__gte=risk)
    return rows.filter(Exists(commands))


def may_look(user: Any) -> bool:
    """Say whether there is anything of terminals for a user: by permission, for the sake of the own ones, or as a guest."""
    if user.has_perm(VIEW) or user.has_perm(TERMINAL):
        return True
    return (
        TerminalSession.objects.visible_to(user).exists()
        or invitations_of(user).exists()
    )


def sessions_of(user: Any) -> QuerySet[TerminalSession]:
    """Give the sessions that a user may look at."""
    return TerminalSession.objects.visible_to(user)


def live(user: Any) -> QuerySet[TerminalSession]:
    """Give the open sessions that a user may look at, those for which no page ever came left out."""
    return TerminalSession.objects.visible_to(user).counted()


def invitations_of(user: Any) -> QuerySet[TerminalSession]:
    """Give the open sessions of others to which a user is invited."""
    invited = TerminalGuest.objects.filter(session=OuterRef("pk"), user=user.pk)
    valid = invited.exclude(invited_by="").exclude(invited_at=None)
    rows = TerminalSession.objects.counted().filter(Exists(valid))
    return rows.exclude(user=user.pk)


def role_at(user: Any, pk: int) -> tuple[TerminalSession | None, str]:
    """Give a session and what a user is at it (owner, guest, watcher); None and "" where that is nobody's business of the user's."""
    session = TerminalSession.objects.filter(pk=pk).first()
    role = role_of(user, session) if session is not None else ""
    return (session, role) if role else (None, "")


def may_watch(user: Any, session: TerminalSession) -> bool:
    """Say whether a user may look on at a session of somebody else."""
    return session.is_open and role_of(user, session) not in {"", OWNER}


def may_replay(user: Any, session: TerminalSession) -> bool:
    """Say whether there is a recording of a session, and a user may replay it."""
    kept = TerminalSession.Recording
    there = session.recording not in {kept.NONE, kept.CLEARED}
    return there and may(user, "replay", session)


def latest_on_host(user: Any, host: Host, count: int = 20) -> list[TerminalSession]:
    """Give the newest sessions on a host, of those that a user may look at."""
    return list(for_list(sessions_of(user).filter(host=host))[:count])


def opened_beside(session: TerminalSession) -> int:
    """Count the sessions that somebody opened in the same page as this one, where the same may have been typed to several."""
    if not session.together:
        return 0
    same = {"together": session.together, "username": session.username}
    return TerminalSession.objects.filter(**same).exclude(pk=session.pk).count()


def people_at(session: TerminalSession) -> list[TerminalGuest]:
    """Give who was there besides the user, or is invited."""
    return list(session.guests.select_related("user").order_by("pk"))


def commands_of(session: TerminalSession) -> QuerySet[TerminalCommand]:
    """Give what was entered, in its order."""
    return session.commands.order_by("number")


def readable(commands: Iterable[TerminalCommand]) -> list[TerminalCommand]:
    """Make what was entered fit to be read (in memory only): signs that cannot be seen are shown by their numbers."""
    listed = list(commands)
    for command in listed:
        command.text = visible(command.text[:SHOWN_CHARACTERS])
    return listed


def held_by_users(user: Any) -> list[Held]:
    """Count the open terminals of each user, of those that the reader may look at, the most first."""
    most = settings.TERMINAL_USER_MOST
    return _held(live(user), "username", most)


def held_by_processes() -> list[Held]:
    """Count the open terminals of each process of the portal; for readers who may look at all."""
    rows = TerminalSession.objects.counted().exclude(process="")
    return _held(rows, "process", settings.TERMINAL_PROCESS_MOST)


def _held(rows: QuerySet[TerminalSession], name: str, most: int) -> list[Held]:
    since = Min(Coalesce("last_input_at", "opened_at"))
    found = rows.order_by().values(name).annotate(count=Count("pk"), since=since)
    now = timezone.now()
    return [
        Held(row[name], row["count"], most, _since(row["since"], now))
        for row in found.order_by("-count", name)
    ]


def _since(moment: datetime, now: datetime) -> timedelta:
    return max(now - moment, timedelta())
