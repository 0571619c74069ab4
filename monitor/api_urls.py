"""Site map of what is no resource's endpoint, below /api/v1/."""

from django.urls import path

from monitor import dashboard_api as api

app_name = "monitor_api"
urlpatterns = [
    path("dashboards/import/", api.TakeDashboard.as_view(), name="dashboard_import"),
    path(
        "dashboards/<int:pk>/export/",
        api.DashboardFile.as_view(),
        name="dashboard_file",
    ),
    path("dashboards/<int:pk>/panels/", api.Panels.as_view(), name="dashboard_panels"),
    path(
        "dashboards/<int:pk>/panels/<slug:panel>/",
        api.OnePanel.as_view(),
        name="dashboard_panel_one",
    ),
]
