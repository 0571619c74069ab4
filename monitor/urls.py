"""Site map of the room."""

from django.urls import include, path

from adminset.crud.urls import pages
from monitor import (
    compare,
    coverage,
    dashboard_urls,
    group_page,
    host_views,
    legacy_views,
    views,
    watch_views,
)
from monitor.packages import urls as package_urls
from monitor.policy_resource import COLLECTION_POLICY

app_name = "monitor"
urlpatterns = [
    path("card/", views.card, name="card"),
    # AdminSet's own address, to the letter.
    path(
        "received/sys/info/", legacy_views.received_sys_info, name="received_sys_info"
    ),
    path("fleet/", views.fleet_page, name="fleet"),
    path("fleet/map/", views.fleet_map, name="fleet_map"),
    path("coverage/", coverage.coverage, name="coverage"),
    path("compare/", compare.compare, name="compare"),
    path("compare/lines/", compare.compare_lines, name="compare_lines"),
    path("hosts/<int:pk>/", host_views.host_page, name="host"),
    path("hosts/<int:pk>/charts/", host_views.host_charts, name="host_charts"),
    path("hosts/<int:pk>/watch/", watch_views.host_watch, name="host_watch"),
    path("hosts/<int:pk>/state/", host_views.host_state, name="host_state"),
    path("hosts/<int:pk>/charts/<slug:key>/", host_views.host_chart, name="host_chart"),
    path("groups/<int:pk>/", group_page.hostgroup_charts, name="hostgroup_charts"),
    path("groups/<int:pk>/lines/", group_page.hostgroup_lines, name="hostgroup_lines"),
    *package_urls.urlpatterns,
    *dashboard_urls.urlpatterns,
    *pages(COLLECTION_POLICY),
    path("", include("monitor.check_urls")),
]
