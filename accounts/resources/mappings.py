"""Group mappings: one declaration, pages and REST endpoints follow from it."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import selectors, tables
from accounts.forms.grants import mapping_form
from accounts.models import GroupMapping
from accounts.resources.users import DECIDED, TABS
from accounts.services import mappings
from adminset.crud.resource import Panel, Resource


def _places(request: HttpRequest, mapping: GroupMapping) -> Mapping[str, Any]:
    return {
        "places": selectors.places(mapping, selectors.all_scope_names(request.user))
    }


MAPPINGS = Resource(
    verbs=DECIDED,
    model=GroupMapping,
    table=tables.GroupMappingTable,
    form=mapping_form(),
    path="group-mappings",
    icon="people-arrows",
    tabs=TABS,
    search=("group", "role__name"),
    detail_fields=("source", "group", "role", "everything"),
    api_fields=("source", "group", "role", "everything", "scope_ids"),
    list_queryset=lambda rows: rows.select_related("role"),
    save=mappings.save_mapping,
    delete=mappings.delete_mapping,
    panels=(Panel("where", _("Where it holds"), "accounts/_places.html", _places),),
)
