"""Tabs as data that are called otherwise than the list or its line of the menu, or lead to a page that is no list."""

from django.utils.translation import gettext_lazy as _

from adminset.menu import Entry

# Pages about terminals that belong together, drawn over each of them.
TERMINAL_TABS = (
    "tasks:terminalsession_list",
    "tasks:terminalsession_live",
    "tasks:terminal_search",
    "tasks:guardrule_list",
    "tasks:guard_try",
    "tasks:guard_notices",
    "tasks:guard_sudoers",
)

TAB_ENTRIES = (
    Entry(
        _("Sessions"),
        "tasks:terminalsession_list",
        "display",
        "tasks.view_terminalsession",
        instead=("cmdb.terminal_host",),
    ),
    Entry(
        _("Live"),
        "tasks:terminalsession_live",
        "display",
        "tasks.view_terminalsession",
        instead=("cmdb.terminal_host",),
    ),
    Entry(
        _("Search"),
        "tasks:terminal_search",
        "magnifying-glass",
        "tasks.view_terminalsession",
        instead=("cmdb.terminal_host",),
    ),
    Entry(
        _("Try a line"),
        "tasks:guard_try",
        "flask",
        "tasks.view_guardrule",
    ),
    Entry(
        _("What the guard said"),
        "tasks:guard_notices",
        "shield-halved",
        "tasks.view_terminalsession",
    ),
    Entry(
        _("Enforce with sudo"),
        "tasks:guard_sudoers",
        "lock",
        "tasks.view_guardrule",
    ),
)
