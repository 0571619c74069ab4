"""Tabs of the room on pages of other rooms."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Panel, Resource
from appconf.models import Project
from cmdb.models import ProductLine
from cmdb.resources.finance import section


def is_product_line(resource: Resource) -> bool:
    """Say whether a resource is that of product lines."""
    return resource.model is ProductLine


def _projects_of(request: HttpRequest, line: ProductLine) -> dict[str, Any]:
    rows: Any = line.projects
    part = section(request.user, Project._meta.verbose_name_plural, rows, "owner")
    return {"parts": [part] if part["rows"] else []}


LINE_PANEL = Panel(
    "projects",
    _("Projects"),
    "cmdb/_related.html",
    _projects_of,
    "appconf.view_project",
)
