"""The cards of the home page as data: names of urls, permissions and icons, never an import of a room."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Card:
    """One card of the home page: drawn by the room that owns its url.

    Attributes:
        instead: further permissions, each of which shows it too.
    """

    title: Any
    url_name: str
    icon: str
    permission: str
    wide: bool = False
    instead: tuple[str, ...] = ()


CARDS = (
    Card(_("Hosts"), "cmdb:card", "server", "cmdb.view_host"),
    Card(_("Data quality"), "cmdb:quality_card", "clipboard-check", "cmdb.view_host"),
    Card(_("What expires"), "cmdb:expiry_card", "hourglass-half", "cmdb.view_expiry"),
    Card(_("How they feel"), "monitor:card", "gauge-high", "monitor.view_metrics"),
    Card(_("Latest runs"), "tasks:card", "terminal", "tasks.view_run"),
    Card(
        _("Live terminals"),
        "tasks:terminalsession_card",
        "display",
        "tasks.view_terminalsession",
        instead=("cmdb.terminal_host",),
    ),
    Card(_("Latest deploys"), "delivery:card", "rocket", "delivery.view_deploy"),
    Card(_("Schedules"), "tasks:schedule_card", "calendar-days", "tasks.view_schedule"),
    Card(
        _("What happened"),
        "accounts:card",
        "clock-rotate-left",
        "adminset.view_auditentry",
        wide=True,
    ),
)
