"""The menu, the tabs and the home cards as data: names of urls, permissions and icons, never an import of a room."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from adminset import maintenance
from adminset.http import SIGNED_IN
from adminset.querysets import everywhere


@dataclass(frozen=True)
class Entry:
    """One line of the menu.

    Attributes:
        also: further urls that belong to it (their app and model prefix).
        everywhere: a grant on some objects does not open it.
    """

    title: Any
    url_name: str
    icon: str
    permission: str
    also: tuple[str, ...] = ()
    everywhere: bool = False


@dataclass(frozen=True)
class Section:
    """One heading of the menu, in the order of the seeds."""

    title: Any
    icon: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Card:
    """One card of the home page: drawn by the room that owns its url."""

    title: Any
    url_name: str
    icon: str
    permission: str
    wide: bool = False


MENU = (
    Section(
        _("Assets"),
        "server",
        (
            Entry(_("Hosts"), "cmdb:host_list", "server", "cmdb.view_host"),
            Entry(
                _("Host groups"),
                "cmdb:hostgroup_list",
                "layer-group",
                "cmdb.view_hostgroup",
            ),
            Entry(_("IDCs"), "cmdb:idc_list", "building", "cmdb.view_idc"),
            Entry(
                _("Cabinets"), "cmdb:cabinet_list", "table-cells", "cmdb.view_cabinet"
            ),
            Entry(
                _("Asset statuses"),
                "cmdb:assetstatus_list",
                "tag",
                "cmdb.view_assetstatus",
            ),
            Entry(_("Agents"), "cmdb:agent_list", "satellite-dish", "cmdb.view_agent"),
            Entry(
                _("Enrolment tokens"),
                "cmdb:enrolmenttoken_list",
                "ticket",
                "cmdb.view_enrolmenttoken",
            ),
        ),
    ),
    Section(
        _("Applications"),
        "cubes",
        (
            Entry(
                _("Credentials"), "cmdb:credential_list", "key", "cmdb.view_credential"
            ),
        ),
    ),
    Section(
        _("Task orchestration"),
        "list-check",
        (
            Entry(_("Run something"), "tasks:run_add", "play", "tasks.add_run"),
            Entry(_("Runs"), "tasks:run_list", "terminal", "tasks.view_run"),
            Entry(_("Playbooks"), "tasks:playbook_list", "book", "tasks.view_playbook"),
            Entry(
                _("Schedules"),
                "tasks:schedule_list",
                "calendar-days",
                "tasks.view_schedule",
            ),
        ),
    ),
    Section(
        _("Monitoring"),
        "chart-line",
        (
            Entry(
                _("Fleet"),
                "monitor:fleet",
                "gauge-high",
                "monitor.view_metrics",
                ("monitor:host",),
            ),
        ),
    ),
    Section(
        _("Users"),
        "users",
        (
            Entry(_("Users"), "accounts:user_list", "user", "accounts.view_user"),
            Entry(
                _("Roles"), "accounts:role_list", "user-shield", "accounts.view_role"
            ),
            Entry(
                _("Grants"), "accounts:grant_list", "user-check", "accounts.view_grant"
            ),
            Entry(
                _("Group mappings"),
                "accounts:groupmapping_list",
                "people-arrows",
                "accounts.view_groupmapping",
            ),
            Entry(
                _("Why may or may not"),
                "accounts:explain",
                "circle-question",
                SIGNED_IN,
            ),
            Entry(
                _("API tokens"),
                "accounts:apitoken_list",
                "ticket",
                "accounts.view_apitoken",
            ),
            Entry(
                _("Sessions"),
                "accounts:portalsession_list",
                "display",
                "accounts.view_portalsession",
            ),
        ),
    ),
    Section(
        _("System"),
        "gear",
        (
            Entry(
                _("Audit trail"),
                "accounts:audit_list",
                "clock-rotate-left",
                "adminset.view_auditentry",
            ),
            Entry(
                _("Sign-ins"),
                "accounts:sign_in_list",
                "arrow-right-to-bracket",
                "adminset.view_auditentry",
            ),
            Entry(
                _("Maintenance"),
                "maintenance",
                "screwdriver-wrench",
                maintenance.PERMISSION,
                everywhere=True,
            ),
            Entry(
                _("State of the portal"),
                "system_state",
                "heart-pulse",
                "adminset.view_auditentry",
            ),
        ),
    ),
)

CARDS = (
    Card(_("Hosts"), "cmdb:card", "server", "cmdb.view_host"),
    Card(_("How they feel"), "monitor:card", "gauge-high", "monitor.view_metrics"),
    Card(_("Latest runs"), "tasks:card", "terminal", "tasks.view_run"),
    Card(
        _("What happened"),
        "accounts:card",
        "clock-rotate-left",
        "adminset.view_auditentry",
        wide=True,
    ),
)


def reverse_or_none(url_name: str) -> str | None:
    """Give the address of a url name; None for a room that does not have it yet."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return None


def _may(request: HttpRequest, shown: Entry | Card) -> bool:
    if isinstance(shown, Entry) and shown.everywhere:
        return everywhere(request.user, shown.permission)
    return shown.permission == SIGNED_IN or request.user.has_perm(shown.permission)


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
    if here == entry.url_name:
        return True
    stem = entry.url_name.removesuffix("_list")
    stems = entry.also if stem == entry.url_name else (stem, *entry.also)
    others = {e.url_name for section in MENU for e in section.entries}
    return here not in others and any(
        here == s or here.startswith(f"{s}_") for s in stems
    )


def tabs_for(request: HttpRequest, url_names: Iterable[str]) -> list[dict[str, Any]]:
    """Give the tabs over a list: {title, url, active}; titles and permissions are those of the menu."""
    entries = {e.url_name: e for section in MENU for e in section.entries}
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
