"""Site map of recordings: replay, export, verification, search."""

from django.urls import path

from tasks.recording_pages import search_views, views

urlpatterns = [
    path(
        "terminal-sessions/<int:pk>/replay/",
        views.terminalsession_replay,
        name="terminalsession_replay",
    ),
    path(
        "terminal-sessions/<int:pk>/events/",
        views.terminalsession_events,
        name="terminalsession_events",
    ),
    path(
        "terminal-sessions/<int:pk>/cast/",
        views.terminalsession_cast,
        name="terminalsession_cast",
    ),
    path(
        "terminal-sessions/<int:pk>/verify/",
        views.terminalsession_verify,
        name="terminalsession_verify",
    ),
    path("terminal-search/", search_views.terminal_search, name="terminal_search"),
    path(
        "terminal-search/outputs/",
        search_views.terminal_search_outputs,
        name="terminal_search_outputs",
    ),
]
