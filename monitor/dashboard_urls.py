"""The addresses of dashboards."""

from django.urls import path

from adminset.crud.urls import pages
from monitor import dashboard_views as views
from monitor.dashboard_resource import DASHBOARDS

ONE = "dashboards/<int:pk>"
PANEL = f"{ONE}/panels/<slug:panel>"
urlpatterns = [
    path("dashboards/take/", views.dashboard_take, name="dashboard_take"),
    *pages(DASHBOARDS),
    path(f"{ONE}/board/", views.dashboard_board, name="dashboard_board"),
    path(f"{ONE}/kiosk/", views.dashboard_kiosk, name="dashboard_kiosk"),
    path(f"{ONE}/export/", views.dashboard_export, name="dashboard_export"),
    path(f"{ONE}/panels/add/", views.dashboard_panel_add, name="dashboard_panel_add"),
    path(f"{PANEL}/", views.dashboard_panel, name="dashboard_panel"),
    path(f"{PANEL}/lines/", views.dashboard_lines, name="dashboard_lines"),
    path(f"{PANEL}/edit/", views.dashboard_panel_edit, name="dashboard_panel_edit"),
    path(f"{PANEL}/drop/", views.dashboard_panel_drop, name="dashboard_panel_drop"),
    path(f"{PANEL}/move/", views.dashboard_panel_move, name="dashboard_panel_move"),
]
