"""Reads what the endpoints of runs are sent besides a launch: numbers, words, places; anything else is refused in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.models import RunHost
from tasks.run_api.reading import Place
from tasks.run_api.waiting import LONGEST_SECONDS

LARGEST = 2**53
MOST_PLACES = 20_000
REASON_LENGTH = 200


@dataclass(frozen=True)
class Following:
    """Where a program is with a run, and how long it waits for more (s)."""

    places: Mapping[int, Place] = field(default_factory=dict)
    whole: int | None = None
    wait: float = 0


def refused(name: str, words: str) -> DomainError:
    """Say which input is not right."""
    return DomainError(_("Some fields are not right."), words, fields={name: words})


def whole_number(name: str, value: Any) -> int:
    """Read a number from 0 on.

    Raises:
        DomainError: it is none.
    """
    text = str(value)
    fits = text.isascii() and text.isdecimal() and len(text) < 17
    if isinstance(value, bool) or not fits or int(text) > LARGEST:
        raise refused(name[:40], _("Give a whole number from 0 on."))
    return int(text)


def seconds(value: Any) -> float:
    """Read how long a program waits.

    Raises:
        DomainError: it is no number, or not one from 0 to 30.
    """
    try:
        found = float(value) if not isinstance(value, bool) else -1.0
    except (TypeError, ValueError, OverflowError):
        found = -1.0
    if not 0 <= found <= LONGEST_SECONDS:
        words = _("Wait from 0 to %(most)s seconds.")
        raise refused("wait", words % {"most": int(LONGEST_SECONDS)})
    return found


def text(value: str) -> str:
    """Give a text to look for."""
    return value.replace("\0", "")[:200]


def statuses(words: Iterable[str]) -> list[str]:
    """Read the names of statuses.

    Raises:
        DomainError: one that there is not.
    """
    found = [word for word in words if word]
    if set(found) - set(RunHost.Status.values):
        known = ", ".join(RunHost.Status.values)
        raise refused("status", _("Known: %(known)s.") % {"known": known})
    return found


def selection(body: Any) -> list[str]:
    """Read on which hosts a run is repeated: words as services.launch.CHOICES has them, "all" or "not_ok".

    Raises:
        DomainError: it is no list of words.
    """
    given = body.get("hosts", ["all"]) if isinstance(body, dict) else None
    if isinstance(body, dict) and set(body) - {"hosts"}:
        given = None
    if not isinstance(given, list) or not given:
        raise refused("hosts", _('Send {"hosts": ["failed"]}, or nothing for all.'))
    return [str(word)[:40] for word in given]


def reason(body: Any) -> str:
    """Read why something is done: {"reason": "..."}, or nothing.

    Raises:
        DomainError: it is something else.
    """
    given = body.get("reason", "") if isinstance(body, dict) else None
    fits = isinstance(given, str) and len(given) <= REASON_LENGTH
    if not fits or set(body) - {"reason"}:
        words = _('Send {"reason": "..."} with up to %(most)s characters, or nothing.')
        raise refused("reason", words % {"most": REASON_LENGTH})
    return str(given).replace("\0", "").strip()


def follow(body: Any) -> Following:
    """Read where a program is with a run.

    Raises:
        DomainError: it is not what docs/tasks-api.md says.
    """
    if not isinstance(body, dict):
        raise DomainError(_("Send one JSON object."))
    hosts = body.get("hosts") or {}
    if not isinstance(hosts, dict) or len(hosts) > MOST_PLACES:
        raise refused("hosts", _("Give an object: number of the host to its place."))
    whole = body.get("whole")
    return Following(
        {whole_number("hosts", key): _place(value) for key, value in hosts.items()},
        None if whole is None else whole_number("whole", whole),
        seconds(body.get("wait") or 0),
    )


def _place(value: Any) -> Place:
    if not isinstance(value, dict):
        raise refused("hosts", _('A place is {"offset": 0, "status": "running"}.'))
    status = value.get("status") or RunHost.Status.NOT_STARTED
    return Place(whole_number("offset", value.get("offset") or 0), str(status)[:20])
