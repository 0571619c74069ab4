"""The addresses that jobs call: short, and outside the portal's pages."""

from django.urls import path, re_path

from monitor.heartbeats import views

app_name = "hb"
urlpatterns = [
    path("<str:key>", views.beat, name="beat"),
    re_path(
        r"^(?P<key>[^/]+)/(?P<word>start|fail|\d{1,3})\Z",
        views.beat,
        name="beat_word",
    ),
]
