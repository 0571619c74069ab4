"""Site map of terminal sessions, for the room's own."""

from django.urls import path

from adminset.crud.resource import register
from tasks.terminal_pages import sessions_acts as acts
from tasks.terminal_pages import sessions_views as views
from tasks.terminal_pages.sessions_resources import TERMINAL_SESSIONS
from tasks.terminal_pages.sessions_watching import terminalsession_watch

# Its pages are open to more than holders of a permission: everybody sees the own sessions (sessions_views.looking).
register(TERMINAL_SESSIONS)

ONE = "terminal-sessions/<int:pk>/"
urlpatterns = [
    path("terminal-sessions/", views.terminalsession_list, name="terminalsession_list"),
    path(
        "terminal-sessions/live/",
        views.terminalsession_live,
        name="terminalsession_live",
    ),
    path(
        "terminal-sessions/card/",
        views.terminalsession_card,
        name="terminalsession_card",
    ),
    path(ONE, views.terminalsession_detail, name="terminalsession_detail"),
    path(
        f"{ONE}history/",
        views.terminalsession_history,
        name="terminalsession_history",
    ),
    path(f"{ONE}as-it-was/", views.terminalsession_past, name="terminalsession_past"),
    path(f"{ONE}watch/", terminalsession_watch, name="terminalsession_watch"),
    path(f"{ONE}kill/", acts.terminalsession_kill, name="terminalsession_kill"),
    path(f"{ONE}lock/", acts.terminalsession_lock, name="terminalsession_lock"),
    path(f"{ONE}unlock/", acts.terminalsession_unlock, name="terminalsession_unlock"),
    path(f"{ONE}say/", acts.terminalsession_say, name="terminalsession_say"),
    path(f"{ONE}invite/", acts.terminalsession_invite, name="terminalsession_invite"),
    path(
        f"{ONE}send-away/",
        acts.terminalsession_send_away,
        name="terminalsession_send_away",
    ),
]
