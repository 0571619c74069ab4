"""Site map of the page of terminals."""

from django.urls import path

from tasks.terminal_pages import terminal_views as views

urlpatterns = [
    path("terminal/", views.terminal, name="terminal"),
    path("terminal/open/", views.terminal_open, name="terminal_open"),
    path("terminal/hosts/", views.terminal_hosts, name="terminal_hosts"),
    path("terminal/chosen/", views.host_bulk_terminal, name="host_bulk_terminal"),
    path("terminal/<int:pk>/ticket/", views.terminal_ticket, name="terminal_ticket"),
    path("terminal/<int:pk>/join/", views.terminal_join, name="terminal_join"),
    path("hosts/<int:pk>/terminal/", views.host_terminal, name="host_terminal"),
    path(
        "host-groups/<int:pk>/terminal/",
        views.hostgroup_terminal,
        name="hostgroup_terminal",
    ),
]
