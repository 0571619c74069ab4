"""What somebody looks for in terminals, and the commands that have it."""

from dataclasses import asdict, dataclass, fields, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from adminset import audit
from adminset.redaction import without_secrets
from adminset.texts import number_of
from tasks.models import TerminalCommand, TerminalSession
from tasks.recording.lines import BEGIN
from tasks.recording.searching import Cursor, Look, wanted_of

LONGEST = 200
MOST_DAYS = 36_500


@dataclass(frozen=True)
class Asked:
    """Words, and in which sessions."""

    wanted: str
    host: str
    user: str
    days: int

    def narrowed(self, rows: QuerySet[TerminalSession]) -> QuerySet[TerminalSession]:
        """Narrow sessions to those that are asked for."""
        if self.host:
            rows = rows.filter(host_name__icontains=self.host)
        if self.user:
            rows = rows.filter(username__icontains=self.user)
        if self.days:
            since = timezone.now() - timedelta(days=self.days)
            rows = rows.filter(opened_at__gte=since)
        return rows

    @property
    def query(self) -> str:
        """The same as an address."""
        values = {"q": self.wanted, "host": self.host, "user": self.user}
        return urlencode(values | {"days": self.days or ""})


@dataclass(frozen=True)
class SoFar:
    """What the looks of one search brought until now; the page carries it from look to look.

    Attributes:
        looked: recordings. bytes: of their text. count: lines found. unreadable: recordings that cannot be read (on).
        left: recordings that were left before their end, because the reader wanted the next.
    """

    looked: int = 0
    bytes: int = 0
    count: int = 0
    unreadable: int = 0
    left: int = 0

    def plus(self, look: Look, since: Cursor | None) -> "SoFar":
        """Add a look; a recording in the middle of which the last one ended is not counted twice."""
        again = since is not None and since.spot != BEGIN and look.recordings > 0
        return SoFar(
            self.looked + look.recordings - again,
            self.bytes + look.bytes,
            self.count + len(look.said),
            self.unreadable + look.unreadable,
            self.left,
        )

    @property
    def query(self) -> str:
        """The same as an address."""
        return urlencode(asdict(self))

    @property
    def query_left(self) -> str:
        """The same, one recording more left before its end."""
        return replace(self, left=self.left + 1).query


def so_far_of(request: HttpRequest) -> SoFar:
    """Read what was brought until now."""
    numbers = {each.name: request.GET.get(each.name) for each in fields(SoFar)}
    return SoFar(**{name: number_of(text) or 0 for name, text in numbers.items()})


def asked_of(request: HttpRequest) -> Asked:
    """Read what is looked for."""
    host, user = (
        request.GET.get(name, "").replace("\0", "").strip()[:LONGEST]
        for name in ("host", "user")
    )
    days = min(number_of(request.GET.get("days")) or 0, MOST_DAYS)
    return Asked(wanted_of(request.GET.get("q")), host, user, days)


def commands_of(user: Any, asked: Asked) -> QuerySet[TerminalCommand]:
    """Give the commands with the words, of the sessions that the user may see, the newest first."""
    if not asked.wanted:
        return TerminalCommand.objects.none()
    sessions = asked.narrowed(TerminalSession.objects.visible_to(user))
    found = TerminalCommand.objects.filter(
        session__in=sessions.order_by().values("pk"), text__icontains=asked.wanted
    )
    return found.select_related("session").order_by("-entered_at", "-pk")


def tell_of_search(user: Any, asked: Asked) -> None:
    """Who searches what others did is told of; what looks like a secret is masked."""
    words = without_secrets(asked.query)[:1000]
    # The page and what it asks next are one search.
    if audit.is_news("terminalsession.search", user.pk, asked.query):
        changes = [audit.change_of("filter", None, words)]
        audit.record(user, "terminalsession.search", TerminalSession, changes=changes)
