"""Addresses of the configuration that programs fetch, below /api/v1/."""

from django.urls import path

from appconf.pull import api

urlpatterns = [
    path(
        "config/<slug:project>/<slug:environment>/",
        api.Variables.as_view(),
        name="pull_variables",
    ),
    path(
        "config/<slug:project>/<slug:environment>/files/",
        api.Files.as_view(),
        name="pull_files",
    ),
]
