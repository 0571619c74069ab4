"""Site map of what is no resource's endpoint, below /api/v1/."""

from django.urls import path

from appconf import package_api
from appconf.pull.api_urls import urlpatterns as pull

app_name = "appconf_api"
urlpatterns = [
    *pull,
    path(
        "packages/<int:pk>/file/",
        package_api.Begin.as_view(),
        name="package_file_begin",
    ),
    path(
        "packages/<int:pk>/file/<str:ticket>/",
        package_api.Piece.as_view(),
        name="package_file_piece",
    ),
    path(
        "packages/<int:pk>/file/<str:ticket>/finish/",
        package_api.Finish.as_view(),
        name="package_file_finish",
    ),
]
