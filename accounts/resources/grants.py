"""Grants: one declaration, pages and REST endpoints follow from it."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import filters, selectors, tables
from accounts.forms.grants import grant_form
from accounts.models import Grant
from accounts.resources.users import DECIDED, TABS
from accounts.services import grants
from adminset.crud.resource import Panel, Resource


def _scopes(request: HttpRequest, grant: Grant) -> Mapping[str, Any]:
    return {"places": selectors.places(grant, selectors.scope_names(request.user))}


GRANTS = Resource(
    verbs=DECIDED,
    model=Grant,
    table=tables.GrantTable,
    form=grant_form(),
    filterset=filters.GrantFilter,
    path="grants",
    icon="user-check",
    tabs=TABS,
    search=("user__username", "role__name"),
    detail_fields=(
        "user",
        "role",
        "everything",
        "valid_from",
        "valid_until",
        "mapping",
    ),
    api_fields=(
        "user",
        "role",
        "everything",
        "valid_from",
        "valid_until",
        "scope_ids",
    ),
    list_queryset=selectors.grants_for_list,
    save=grants.save_grant,
    delete=grants.delete_grant,
    panels=(Panel("where", _("Where it holds"), "accounts/_places.html", _scopes),),
)
