"""What a line of the trail is about, as chats are told: of which projects it is, how it stands, why; rooms join in ready()."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.urls import NoReverseMatch, reverse

from adminset.models import AuditEntry


@dataclass(frozen=True)
class Subject:
    """An object of a room.

    Attributes:
        projects: keys of the projects that it is of. who: name of whoever asked for it. state, why: how it stands, in words.
        reason: what it is for, where its lines do not say so themselves.
    """

    projects: frozenset[int] = frozenset()
    who: str = ""
    state: str = ""
    reason: str = ""
    why: str = ""


NOTHING = Subject()
Finder = Callable[[Iterable[int]], Mapping[int, Subject]]
# By label of a model: gives the subjects of some of its keys. Web-hooks that are for some projects know lines by these.
FINDERS: dict[str, Finder] = {}
# Chats are told more than the line: of which other kind (label), too.
ALSO_TOLD: dict[str, str] = {}
# Gives the projects that a user may see: (key, name).
PROJECTS: list[Callable[[Any], list[tuple[int, str]]]] = []


def projects_for(user: Any) -> list[tuple[int, str]]:
    """List the projects for which a user may set up a web-hook."""
    return [one for each in PROJECTS for one in each(user)]


def subjects_of(entries: Iterable[AuditEntry]) -> dict[tuple[str, str], Subject]:
    """Look up what lines are about, by kind and key; one question for each kind."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for entry in entries:
        if entry.target_type in FINDERS and entry.target_id.isdecimal():
            wanted[entry.target_type].add(int(entry.target_id))
    return {
        (kind, str(key)): subject
        for kind, keys in wanted.items()
        for key, subject in FINDERS[kind](keys).items()
    }


def address_of(entry: AuditEntry) -> str:
    """Give the whole address of the page of what a line is about; "" where it has none, or the portal does not know its own."""
    if not settings.PORTAL_URL or not entry.target_id.isdecimal():
        return ""
    try:
        meta = apps.get_model(entry.target_type)._meta
        page = reverse(
            f"{meta.app_label}:{meta.model_name}_detail", args=[entry.target_id]
        )
    except (LookupError, ValueError, NoReverseMatch):
        return ""
    return f"{settings.PORTAL_URL.rstrip('/')}{page}"
