"""The list, the history and the REST endpoints of terminal sessions; a session has a page of its own (sessions_views.py)."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_form
from adminset.crud.resource import Panel, Resource
from adminset.menu_tabs import TERMINAL_TABS
from tasks.models import TerminalSession
from tasks.terminal_pages import sessions_selectors as selectors
from tasks.terminal_pages.sessions_filters import TerminalSessionFilter
from tasks.terminal_pages.sessions_tables import TerminalSessionTable

COMMANDS_SHOWN = 1000


def commands(request: HttpRequest, session: TerminalSession) -> dict[str, object]:
    """Give what was entered; the recording is led to where the reader may replay it."""
    rows = selectors.commands_of(session)
    return {
        "commands": selectors.readable(rows[:COMMANDS_SHOWN]),
        "hidden_commands": max(rows.count() - COMMANDS_SHOWN, 0),
        "may_replay": selectors.may_replay(request.user, session),
    }


TERMINAL_SESSIONS = Resource(
    model=TerminalSession,
    table=TerminalSessionTable,
    # Nobody adds or changes one by hand.
    form=plain_form(TerminalSession, "reason"),
    filterset=TerminalSessionFilter,
    path="terminal-sessions",
    icon="display",
    search=("username", "host_name", "login", "client_address", "reason"),
    tabs=TERMINAL_TABS,
    begins=_("Open a terminal by its button in the row of a host."),
    panels=(
        Panel(
            "commands",
            _("Commands"),
            "tasks/terminal_sessions/_commands.html",
            commands,
        ),
    ),
    api_fields=(
        "user",
        "username",
        "host",
        "host_name",
        "address",
        "credential",
        "credential_name",
        "login",
        "become",
        "client_address",
        "reason",
        "state",
        "end_reason",
        "locked_by",
        "opened_at",
        "ended_at",
        "last_input_at",
        "bytes_in",
        "bytes_out",
        "command_count",
        "highest_risk",
        "recording",
        "recording_problem",
        "recording_sha256",
        "recording_bytes",
    ),
    # Those that were opened in the same page have the same word there.
    lookups={"together": "together"},
    api_counts={"highest_risk": "highest_risk"},
    list_queryset=selectors.for_list,
    verbs=frozenset(),
)
