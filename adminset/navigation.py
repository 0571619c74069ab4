"""The menu, the tabs and the home cards as their reader may see them."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.text import capfirst

from adminset import maintenance
from adminset.crud.resource import Resource, all_resources
from adminset.home_cards import CARDS, Card
from adminset.http import SIGNED_IN
from adminset.menu import MENU, Entry
from adminset.menu_tabs import TAB_ENTRIES
from adminset.querysets import everywhere


def reverse_or_none(url_name: str) -> str | None:
    """Give the address of a url name; None for a room that does not have it yet."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return None


def _may(request: HttpRequest, shown: Entry | Card) -> bool:
    if isinstance(shown, Entry) and shown.everywhere:
        return everywhere(request.user, shown.permission)
    asked = (shown.permission, *shown.instead)
    return SIGNED_IN in asked or any(map(request.user.has_perm, asked))


def menu(request: HttpRequest) -> list[dict[str, Any]]:
    """Give the sections and entries that the user may open, with the one where the request is marked."""
    here = _here(request)
    sections = []
    for section in MENU:
        entries = [
            {"title": e.title, "url": url, "icon": e.icon, "active": _is_here(here, e)}
            for e in section.entries
            if _may(request, e) and (url := reverse_or_none(e.url_name))
        ]
        if entries:
            active = any(entry["active"] for entry in entries)
            sections.append(
                {
                    "title": section.title,
                    "icon": section.icon,
                    "entries": entries,
                    "active": active,
                }
            )
    return sections


def _here(request: HttpRequest) -> str:
    match = request.resolver_match
    return match.view_name if match else ""


def _is_here(here: str, entry: Entry) -> bool:
    """An entry is active on its own page and on the pages of the same object: host_list on host_edit."""
    if entry.beside:
        return False
    if here == entry.url_name:
        return True
    stem = entry.url_name.removesuffix("_list")
    stems = entry.also if stem == entry.url_name else (stem, *entry.also)
    others = {e.url_name for e in _lines()}
    return here not in others and any(
        here == s or here.startswith(f"{s}_") for s in stems
    )


def _lines() -> list[Entry]:
    """List the lines of the menu, each page once."""
    return [e for section in MENU for e in section.entries if not e.beside]


def tabs_for(request: HttpRequest, url_names: Iterable[str]) -> list[dict[str, Any]]:
    """Give the tabs over a list: {title, url, active}.

    Titles and permissions are those of the menu; where a line of it stands for several lists, or none does, those of the list.
    """
    entries = {each.url_name: each for each in map(_list_of, all_resources())}
    entries |= {
        e.url_name: e for e in _lines() if not e.also or e.url_name not in entries
    }
    entries |= {e.url_name: e for e in TAB_ENTRIES}
    here = _here(request)
    return [
        {
            "title": entries[name].title,
            "url": url,
            "active": name == here,
            "count": None,
        }
        for name in url_names
        if name in entries
        and _may(request, entries[name])
        and (url := reverse_or_none(name))
    ]


def _list_of(resource: Resource) -> Entry:
    """Give the list of a resource as a line that no menu has: a tab beside lists that have one."""
    return Entry(
        capfirst(resource.verbose_name_plural),
        resource.url_name("list"),
        resource.icon,
        resource.permission("view"),
    )


def cards(request: HttpRequest) -> list[dict[str, Any]]:
    """Give the home cards that the user may see."""
    return [
        {"title": c.title, "url": url, "icon": c.icon, "wide": c.wide}
        for c in CARDS
        if _may(request, c) and (url := reverse_or_none(c.url_name))
    ]


def context(request: HttpRequest) -> dict[str, Any]:
    """Give every page the menu, worked out once a request and only where a template asks for it.

    Django calls this for every template that is drawn with the request, a column of a list included.
    """
    kept = request.__dict__.setdefault(
        "_navigation", SimpleLazyObject(partial(_menu_of, request))
    )
    return {"nav": kept}


def maintenance_state(request: HttpRequest) -> dict[str, Any]:
    """Give pages what they say to those who work while maintenance is on."""
    return {"maintenance": SimpleLazyObject(maintenance.state)}


def _menu_of(request: HttpRequest) -> list[dict[str, Any]]:
    user = getattr(request, "user", None)
    return menu(request) if user is not None and user.is_authenticated else []
