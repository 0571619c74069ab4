"""Site map of the room."""

from django.urls import path

from monitor import legacy_views, views

app_name = "monitor"
urlpatterns = [
    path("card/", views.card, name="card"),
    # AdminSet's own address, to the letter.
    path(
        "received/sys/info/", legacy_views.received_sys_info, name="received_sys_info"
    ),
    path("fleet/", views.fleet_page, name="fleet"),
    path("hosts/<int:pk>/", views.host_page, name="host"),
    path("hosts/<int:pk>/charts/<slug:key>/", views.host_chart, name="host_chart"),
]
