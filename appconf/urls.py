"""Site map of the room."""

from django.urls import path

from adminset.crud.resource import share_panel
from adminset.crud.urls import pages
from appconf import package_views, project_views, resources
from appconf.config import urls as config
from appconf.panels import LINE_PANEL, is_product_line
from appconf.pull import urls as pull

share_panel(is_product_line, LINE_PANEL)

app_name = "appconf"
urlpatterns = [
    path(
        "projects/<int:pk>/environments/add/",
        project_views.project_environment,
        name="project_environment",
    ),
    path(
        "packages/<int:pk>/upload/",
        package_views.package_upload,
        name="package_upload",
    ),
    path(
        "packages/<int:pk>/download/",
        package_views.package_download,
        name="package_download",
    ),
    path(
        "packages/<int:pk>/pieces/",
        package_views.package_pieces_begin,
        name="package_pieces_begin",
    ),
    path(
        "packages/<int:pk>/pieces/<slug:ticket>/",
        package_views.package_piece,
        name="package_piece",
    ),
    path(
        "packages/<int:pk>/pieces/<slug:ticket>/finish/",
        package_views.package_pieces_finish,
        name="package_pieces_finish",
    ),
    *(url for each in resources.ALL for url in pages(each)),
    *config.urlpatterns,
    *pull.urlpatterns,
]
