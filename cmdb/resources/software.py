"""Software, installations and licences: one declaration each, pages and REST endpoints follow from it."""

from typing import Any

import django_tables2 as tables
from django.db import models
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import NUMBER, plain_filter, plain_form, plain_table
from adminset.crud.resource import Panel, Resource
from cmdb.columns import EndColumn, MoneyColumn
from cmdb.forms.finance import InstallationForm, LicenceForm
from cmdb.models import Host, Installation, Licence, Software
from cmdb.tables import badge

TABS = ("cmdb:software_list", "cmdb:installation_list", "cmdb:licence_list")
MOST_ON_A_PANEL = 500


def own_page(record: Any) -> str:
    """Lead from a cell to the row's own page, whatever stands in it."""
    url: str = record.get_absolute_url()
    return url


class UsedResource(Resource):
    """A resource whose rows say on how many hosts, of those that the reader may see, their software is."""

    def for_list(self, rows: models.QuerySet, user: Any) -> models.QuerySet:
        """Bring the number along."""
        found: Any = super().for_list(rows, user)
        hosts = Host.objects.visible_to(user)
        used: models.QuerySet = found.with_use(
            hosts, Installation.objects.visible_to(user)
        )
        return used


class UsedColumn(tables.Column):
    """On how many hosts it is; more than there are seats for is a warning."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            verbose_name=_("used"), order_by="used_count", attrs=NUMBER, **options
        )

    def render(self, value: int, record: Any) -> SafeString | int:
        """Draw it."""
        warning = getattr(record, "badge", None)
        if not warning:
            return value
        return format_html("{} {}", badge(warning["state"], warning["label"]), value)

    def value(self, value: int) -> int:
        """Give it to an export."""
        return value


def _hosts_with(request: HttpRequest, software: Software) -> dict[str, Any]:
    """Give the hosts that have some software: entered by people, or found by agents."""
    has = models.Q(pk__in=Installation.objects.filter(software=software).values("host"))
    if software.kind == Software.Kind.SYSTEM and software.name:
        has |= models.Q(os_name=software.name, os_version=software.version)
    rows = Host.objects.visible_to(request.user).filter(has)
    return {
        "hosts": rows.for_list().order_by("hostname", "pk")[:MOST_ON_A_PANEL],
        "host_total": rows.count(),
    }


SOFTWARE_FIELDS = (
    "name",
    "version",
    "kind",
    "vendor",
    "supplier",
    "released_on",
    "end_of_support_on",
    "owner",
    "notes",
)
SOFTWARE = UsedResource(
    model=Software,
    table=plain_table(
        Software,
        "name",
        "version",
        "kind",
        "vendor",
        "released_on",
        "end_of_support_on",
        "owner",
        "supplier",
        default=("name", "version", "kind", "vendor", "end_of_support_on", "used"),
        end_of_support_on=EndColumn(),
        used=UsedColumn(),
    ),
    form=plain_form(Software, *SOFTWARE_FIELDS),
    filterset=plain_filter(Software, "kind", "supplier"),
    path="software",
    icon="compact-disc",
    search=("name", "version", "vendor"),
    tabs=TABS,
    panels=(
        Panel("hosts", _("Hosts"), "cmdb/_hosts.html", _hosts_with, "cmdb.view_host"),
    ),
    bulk_fields=("kind", "vendor", "supplier", "end_of_support_on", "owner"),
    list_queryset=lambda rows: rows.select_related("supplier"),
)
INSTALLATION = Resource(
    model=Installation,
    table=plain_table(
        Installation,
        "software",
        "host",
        "since",
        "notes",
        software=tables.Column(linkify=own_page),
        host=tables.Column(linkify=True),
    ),
    form=InstallationForm,
    filterset=plain_filter(Installation, "software"),
    path="installations",
    icon="download",
    search=("software__name", "software__version", "host__hostname"),
    tabs=TABS,
    bulk_fields=("since", "notes"),
    list_queryset=lambda rows: rows.select_related("software", "host"),
)
LICENCE_FIELDS = (
    "software",
    "name",
    "supplier",
    "contract",
    "seats",
    "expires_on",
    "amount",
    "currency",
    "owner",
    "notes",
)
LICENCE = UsedResource(
    model=Licence,
    table=plain_table(
        Licence,
        "software",
        "name",
        "seats",
        "expires_on",
        "amount",
        "owner",
        "supplier",
        "contract",
        default=("software", "name", "used", "seats", "expires_on", "amount", "owner"),
        software=tables.Column(linkify=own_page),
        expires_on=EndColumn(),
        amount=MoneyColumn(),
        used=UsedColumn(),
    ),
    form=LicenceForm,
    filterset=plain_filter(Licence, "software", "supplier", "contract"),
    path="licences",
    icon="id-card",
    search=("software__name", "name", "owner", "contract__number"),
    tabs=TABS,
    detail_fields=(
        "software",
        "name",
        "supplier",
        "contract",
        "seats",
        "used",
        "expires_on",
        "money",
        "key",
        "owner",
        "notes",
    ),
    bulk_fields=("supplier", "contract", "expires_on", "owner"),
    import_fields=LICENCE_FIELDS,
    api_fields=LICENCE_FIELDS,
    list_queryset=lambda rows: rows.select_related(
        "software", "supplier", "contract"
    ).with_seats(),  # type: ignore[attr-defined]
)
ALL = (SOFTWARE, INSTALLATION, LICENCE)
