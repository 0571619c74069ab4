"""Site map of the library."""

from django.urls import path

from adminset.crud.resource import Resource
from adminset.crud.urls import pages
from adminset.crud.views import bind
from tasks.library import content_views, views
from tasks.library.resources import FILES, PLAYBOOKS, ROLES, SCRIPTS, SOURCES, VERSIONS

# verb, address below the item, view, permission
DIFF = ("diff", "diff/", views.diff_page, "view")
UPLOADS = (("upload", "upload/", content_views.upload_page, "change"),)
TREE = (
    ("file", "file/", content_views.role_file_page, "change"),
    ("drop", "file/delete/", content_views.role_file_delete_page, "change"),
)


def _of_items(resource: Resource, *listed: tuple) -> list:
    """Give the pages of one kind of item that are no resource's own."""
    name = resource.model_name
    return [
        *(
            path(
                f"{resource.path}/<int:pk>/{route}",
                bind(view, resource, resource.permission(action)),
                name=f"{name}_{verb}",
            )
            for verb, route, view, action in (DIFF, *listed)
        ),
        path(
            f"{resource.path}/<int:pk>/run/",
            bind(views.run_page, resource, "tasks.add_run"),
            name=f"{name}_run",
        ),
    ]


def _with_upload(resource: Resource) -> list:
    """Give the pages of items whose bytes come with the form that adds them."""
    name = f"{resource.model_name}_add"
    added = bind(content_views.add_page, resource, resource.permission("add"))
    return [
        path(f"{resource.path}/add/", added, name=name),
        *(page for page in pages(resource) if page.name != name),
    ]


urlpatterns = [
    *_of_items(SCRIPTS),
    *pages(SCRIPTS),
    *_of_items(PLAYBOOKS),
    *pages(PLAYBOOKS),
    *_of_items(ROLES, *UPLOADS, *TREE),
    *_with_upload(ROLES),
    *_of_items(FILES, *UPLOADS),
    *_with_upload(FILES),
    path("versions/<int:pk>/approve/", views.version_approve, name="version_approve"),
    path("versions/<int:pk>/retire/", views.version_retire, name="version_retire"),
    path(
        "versions/<int:pk>/reinstate/",
        views.version_reinstate,
        name="version_reinstate",
    ),
    path(
        "versions/<int:pk>/download/", views.version_download, name="version_download"
    ),
    *pages(VERSIONS),
    path(
        "git-repositories/<int:pk>/fetch/",
        content_views.gitsource_fetch,
        name="gitsource_fetch",
    ),
    path(
        "git-repositories/<int:pk>/progress/",
        content_views.gitsource_progress,
        name="gitsource_progress",
    ),
    *pages(SOURCES),
]
