"""What a program is told next of a run: pieces of output from byte offsets on, and hosts that stand otherwise than it knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from tasks import output
from tasks.feed import hosts_seen, sees_all
from tasks.models import Run, RunHost
from tasks.services.waiting import why_waiting
from tasks.sites.receiving import receive
from tasks.watching.late import explained

# Text in one answer, and of one host in it.
MOST_BYTES = 512 * 1024
PIECE_BYTES = 64 * 1024
Row = Mapping[str, Any]
FIELDS = ("pk", "host_name", "status", "exit_code", "explanation", "host_id")


@dataclass(frozen=True)
class Place:
    """Where a program is with one host: how many bytes it has, and the status that it knows."""

    offset: int = 0
    status: str = RunHost.Status.NOT_STARTED


NOWHERE_YET = Place()


@dataclass
class News:
    """What is new. `sizes`: bytes that were there of each file that may grow still."""

    run: Run
    pieces: list[dict[str, Any]] = field(default_factory=list)
    hosts: list[dict[str, Any]] = field(default_factory=list)
    more: bool = False
    sizes: dict[int | None, int] = field(default_factory=dict)

    def grew(self) -> bool:
        """Glance at the files."""
        run = self.run.pk
        return any(output.size(run, key) > size for key, size in self.sizes.items())


def find_run(user: Any, pk: int) -> Run:
    """Get a run that the user may see.

    Raises:
        Http404: there is none.
    """
    rows = Run.objects.visible_to(user).filter(pk=pk).defer("playbook_text")
    run = rows.first()
    if run is None:
        raise Http404(_("There is no such run."))
    # Its files hold what workers elsewhere sent by now.
    receive(pk)
    return run


def find_host(user: Any, run: Run, named: str) -> int:
    """Get the id of a host of a run (RunHost's), by that id or by its name.

    Raises:
        Http404: the user sees none like that.
    """
    rows = hosts_seen(user, run)
    is_id = named.isascii() and named.isdecimal() and len(named) < 19
    wanted = {"pk": int(named)} if is_id else {"host_name": named.replace("\0", "")}
    found = rows.filter(**wanted).values_list("pk", flat=True).first()
    if found is None:
        raise Http404(_("There is no such host in this run."))
    return int(found)


def piece_of(
    user: Any, pk: int, host_id: int | None, offset: int
) -> tuple[dict[str, Any], bool]:
    """Give the output of one host (None: of the run as a whole) from a byte offset on, and whether there is news.

    Raises:
        Http404: the run, or this output of it, is not for the user to see.
    """
    run = find_run(user, pk)
    ensure_seen(user, run, host_id)
    piece = output.read(pk, host_id, offset, last=not run.is_open)
    there = output.size(pk, host_id)
    ended = not run.is_open and piece.next_offset >= there
    told = {
        "run": pk,
        "host": host_id,
        "status": run.status,
        "offset": piece.offset,
        "next_offset": piece.next_offset,
        "size": there,
        "ended": ended,
        "text": piece.text,
    }
    return told, bool(piece.text) or ended


def ensure_seen(user: Any, run: Run, host_id: int | None) -> None:
    """Let pass who may read this output.

    Raises:
        Http404: the user does not see that host, or not all hosts.
    """
    rows = hosts_seen(user, run)
    if host_id is None:
        allowed = sees_all(user, run)
    else:
        allowed = rows.filter(pk=host_id).exists()
    if not allowed:
        raise Http404(_("There is no such output."))


def news_of(
    user: Any, pk: int, places: Mapping[int, Place], whole: int | None
) -> tuple[News, bool]:
    """Give what is new on all hosts of a run that the user sees, and whether there is anything.

    A host's status is told once all of its output up to then was given; a host that has ended and is known so costs nothing.

    Args:
        places: where the program is, by RunHost's id. whole: its offset in the output of the run as a whole; None: not wanted.
    """
    run = find_run(user, pk)
    news = News(run)
    left = MOST_BYTES
    if whole is not None and sees_all(user, run):
        left -= _read_on(news, None, "", whole, left)
    for row in _unread(hosts_seen(user, run), places):
        if left <= 0:
            news.more = True
            break
        left -= _read_host(news, row, places.get(row["pk"], NOWHERE_YET), left)
    changed = bool(news.pieces or news.hosts or news.more)
    return news, changed or not run.is_open


def _unread(rows: QuerySet[RunHost], places: Mapping[int, Place]) -> list[Row]:
    """Give the hosts of which there may be news, those first of which least was read: none starves behind chatty ones."""
    found = [
        row
        for row in rows.order_by("pk").values(*FIELDS)
        if row["status"] in RunHost.OPEN
        or row["status"] != places.get(row["pk"], NOWHERE_YET).status
    ]
    return sorted(found, key=lambda row: places.get(row["pk"], NOWHERE_YET).offset)


def _read_host(news: News, row: Row, place: Place, left: int) -> int:
    """Add what is new of one host; gives the bytes of it."""
    key, name = row["pk"], row["host_name"]
    given = _read_on(news, key, name, place.offset, left) if _began(row) else 0
    over = row["status"] not in RunHost.OPEN
    if row["status"] != place.status and not (over and _has_more(news, row)):
        news.hosts.append(_host(row))
    return given


def _began(row: Row) -> bool:
    return row["status"] != RunHost.Status.NOT_STARTED


def _read_on(news: News, key: int | None, name: str, offset: int, left: int) -> int:
    """Add a piece of one file; gives its bytes."""
    run = news.run
    news.sizes[key] = output.size(run.pk, key)
    if news.sizes[key] <= offset:
        return 0
    most = max(min(PIECE_BYTES, left), 1024)
    piece = output.read(run.pk, key, offset, most=most, last=not run.is_open)
    if not piece.text:
        return 0
    news.more = news.more or piece.next_offset < news.sizes[key]
    news.pieces.append(
        {
            "host": key,
            "host_name": name,
            "offset": piece.offset,
            "next_offset": piece.next_offset,
            "text": piece.text,
        }
    )
    return piece.next_offset - piece.offset


def _has_more(news: News, row: Row) -> bool:
    last = news.pieces[-1] if news.pieces else None
    if last is None or last["host"] != row["pk"]:
        return False
    return bool(last["next_offset"] < news.sizes[row["pk"]])


def _host(row: Row) -> dict[str, Any]:
    names = {"pk": "id", "host_id": "host"}
    return {names.get(name, name): row[name] for name in FIELDS}


def statuses_of(rows: QuerySet[RunHost]) -> dict[str, int]:
    """Count the hosts by how they stand."""
    counted = rows.order_by().values("status").annotate(number=Count("pk"))
    return {row["status"]: row["number"] for row in counted}


def standing(user: Any, run: Run) -> dict[str, Any]:
    """Say how a run stands, for who sees these hosts of it."""
    return {
        "id": run.pk,
        "title": run.title,
        "status": run.status,
        "label": run.label,
        "ended": not run.is_open,
        "explanation": explained(user, run),
        "waits": why_waiting(run),
        "batch": run.batch,
        "batch_count": run.batch_count,
        "statuses": statuses_of(hosts_seen(user, run)),
    }
