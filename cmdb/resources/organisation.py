"""Whom and what assets belong to: one declaration each, pages and REST endpoints follow from it."""

from typing import Any

from django.db import models

from adminset.crud.plain import plain_filter, plain_form, plain_table
from adminset.crud.resource import Resource
from cmdb.custom import CustomField
from cmdb.forms.assets import CustomFieldForm
from cmdb.models import Branch, Cluster, Contact, ProductLine, Region, Supplier, Tag
from cmdb.resources.hosts import host_panel

TABS = (
    "cmdb:productline_list",
    "cmdb:contact_list",
    "cmdb:region_list",
    "cmdb:branch_list",
    "cmdb:tag_list",
    "cmdb:customfield_list",
)


def _resource(
    model: type[models.Model], fields: tuple[str, ...], **options: Any
) -> Resource:
    listed = tuple(name for name in fields if name not in {"notes", "description"})
    return Resource(
        model=model,
        table=plain_table(model, *listed),
        form=plain_form(model, *fields),
        tabs=TABS,
        **options,
    )


PRODUCT_LINE = _resource(
    ProductLine,
    ("name", "code", "owner", "description"),
    path="product-lines",
    icon="boxes-stacked",
    search=("name", "code", "owner"),
    panels=(host_panel("product_line"),),
    bulk_fields=("owner",),
    counts={"host": "hosts"},
)
CONTACT = _resource(
    Contact,
    ("name", "email", "phone", "wechat", "qq", "notes"),
    path="contacts",
    icon="address-book",
    search=("name", "email", "phone"),
    bulk_fields=("notes",),
)
REGION = _resource(
    Region,
    ("name", "address", "phone", "owner", "notes"),
    path="regions",
    icon="earth-asia",
    search=("name", "address"),
    bulk_fields=("owner",),
)
BRANCH = _resource(
    Branch,
    ("name", "region", "address", "phone", "owner", "notes"),
    filterset=plain_filter(Branch, "region"),
    path="branches",
    icon="city",
    search=("name", "address"),
    panels=(host_panel("branch"),),
    bulk_fields=("region", "owner"),
    list_queryset=lambda rows: rows.select_related("region"),
    counts={"host": "hosts"},
)
TAG = _resource(
    Tag,
    ("name", "state", "description"),
    filterset=plain_filter(Tag, "state"),
    path="tags",
    icon="hashtag",
    search=("name",),
    panels=(host_panel("tags"),),
    bulk_fields=("state",),
    counts={"host": "hosts"},
)
SUPPLIER = _resource(
    Supplier,
    ("name", "contact", "phone", "email", "website", "service_phone", "notes"),
    path="suppliers",
    icon="truck-field",
    search=("name", "contact"),
    panels=(host_panel("supplier"),),
    bulk_fields=("contact", "phone"),
    counts={"host": "hosts"},
)
CUSTOM_FIELD = Resource(
    model=CustomField,
    table=plain_table(
        CustomField, "label", "kind", "key", "type", "required", "position"
    ),
    form=CustomFieldForm,
    filterset=plain_filter(CustomField, "kind", "type"),
    path="custom-fields",
    icon="pen-ruler",
    search=("label", "key"),
    tabs=TABS,
    bulk_fields=("required", "position"),
)
CLUSTER = Resource(
    model=Cluster,
    table=plain_table(Cluster, "name", "kind", "idc", "product_line", "owner"),
    form=plain_form(
        Cluster, "name", "kind", "idc", "product_line", "owner", "tags", "notes"
    ),
    filterset=plain_filter(Cluster, "kind", "idc", "product_line"),
    path="clusters",
    icon="circle-nodes",
    search=("name", "owner"),
    panels=(host_panel("cluster"),),
    bulk_fields=("kind", "idc", "product_line", "owner"),
    list_queryset=lambda rows: rows.select_related("idc", "product_line"),
    counts={"host": "hosts"},
)
ALL = (CLUSTER, PRODUCT_LINE, CONTACT, REGION, BRANCH, TAG, SUPPLIER, CUSTOM_FIELD)
