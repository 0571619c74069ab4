"""Site map of the room."""

from django.urls import path

from monitor import views

app_name = "monitor"
urlpatterns = [
    path("card/", views.card, name="card"),
    path("fleet/", views.fleet_page, name="fleet"),
    path("hosts/<int:pk>/", views.host_page, name="host"),
    path("hosts/<int:pk>/charts/<slug:key>/", views.host_chart, name="host_chart"),
]
