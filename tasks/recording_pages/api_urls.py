"""Site map of the REST of recordings, below /api/v1/."""

from django.urls import path

from tasks.recording_pages import api

urlpatterns = [
    path(
        "terminal-recordings/",
        api.Recordings.as_view(),
        name="terminalsession_recordings",
    ),
    path(
        "terminal-recordings/<int:pk>/events/",
        api.Events.as_view(),
        name="terminalsession_events",
    ),
    path(
        "terminal-recordings/<int:pk>/export/",
        api.Export.as_view(),
        name="terminalsession_export",
    ),
    path(
        "terminal-recordings/<int:pk>/verify/",
        api.Verify.as_view(),
        name="terminalsession_verify",
    ),
]
