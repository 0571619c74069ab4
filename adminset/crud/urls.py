"""The addresses of a resource's pages."""

from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from adminset.crud import bulk, views
from adminset.crud.resource import Resource, register
from adminset.crud.views import bind
from adminset.imports.views import import_page

# verb, address below the plural noun, view, what the resource must offer, permissions of which the door asks for one
ROUTES = [
    ("list", "", require_safe(views.list_page), "", "view"),
    ("add", "add/", views.add_page, "add", "add"),
    ("import", "import/", import_page, "import", "add change"),
    ("bulk_edit", "bulk-edit/", bulk.bulk_edit_page, "change", "change"),
    ("bulk_rename", "bulk-rename/", bulk.bulk_rename_page, "change", "change"),
    ("bulk_delete", "bulk-delete/", bulk.bulk_delete_page, "delete", "delete"),
    ("detail", "<int:pk>/", require_safe(views.detail_page), "", "view"),
    ("edit", "<int:pk>/edit/", views.edit_page, "change", "change"),
    ("delete", "<int:pk>/delete/", views.delete_page, "delete", "delete"),
    (
        "history",
        "<int:pk>/history/",
        require_safe(views.history_page),
        "",
        "view",
    ),
    ("past", "<int:pk>/as-it-was/", require_safe(views.past_page), "", "view"),
]


def pages(resource: Resource) -> list[URLPattern]:
    """Give the pages of a resource, for a room's urls.py, and make the resource known to the API and the search."""
    register(resource)
    return [
        path(
            f"{resource.path}/{route}",
            bind(view, resource, *map(resource.permission, actions.split())),
            name=f"{resource.model_name}_{verb}",
        )
        for verb, route, view, needed, actions in ROUTES
        if (not needed or needed in resource.verbs)
        and (verb != "bulk_rename" or resource.rename_field)
    ]
