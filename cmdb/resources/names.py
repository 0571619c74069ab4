"""Names on the internet: one declaration each, pages and REST endpoints follow from it."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter, plain_form, plain_table
from adminset.crud.resource import Action, Panel, Resource
from cmdb import filters
from cmdb import network_tables as tables
from cmdb.forms.network import CertificateForm, DnsRecordForm
from cmdb.models import CdnDomain, Certificate, DnsRecord, DnsZone, DomainName
from cmdb.resources.network import ASSET_FIELDS, MOST_ON_A_PANEL
from cmdb.services.certificates import save_certificate
from cmdb.services.network import save_once

TABS = (
    "cmdb:domainname_list",
    "cmdb:dnszone_list",
    "cmdb:dnsrecord_list",
    "cmdb:cdndomain_list",
    "cmdb:certificate_list",
)
DOMAIN_FIELDS = (
    "name",
    "registrar",
    "registered_on",
    "expires_on",
    "auto_renew",
    "price",
    "currency",
    *ASSET_FIELDS,
    "notes",
)
DOMAIN_NAME = Resource(
    model=DomainName,
    table=plain_table(DomainName, *DOMAIN_FIELDS[:7], "owner"),
    form=plain_form(DomainName, *DOMAIN_FIELDS),
    filterset=plain_filter(DomainName, "registrar", "auto_renew"),
    path="domain-names",
    icon="globe",
    search=("name", "owner"),
    tabs=TABS,
    bulk_fields=("registrar", "auto_renew", "owner", "expires_on"),
    list_queryset=lambda rows: rows.select_related("registrar"),
)


def _records_of(request: HttpRequest, zone: DnsZone) -> dict[str, Any]:
    rows = DnsRecord.objects.visible_to(request.user).filter(zone=zone)
    return {
        "records": rows.select_related("zone")[:MOST_ON_A_PANEL],
        "list_query": f"zone={zone.pk}",
    }


ZONE_FIELDS = ("name", "domain", "supplier", "name_servers", "default_ttl", "notes")
DNS_ZONE = Resource(
    model=DnsZone,
    table=plain_table(DnsZone, *ZONE_FIELDS[:5]),
    form=plain_form(DnsZone, *ZONE_FIELDS),
    filterset=plain_filter(DnsZone, "supplier"),
    path="dns-zones",
    icon="folder-tree",
    search=("name",),
    tabs=TABS,
    panels=(
        Panel(
            "records",
            _("DNS records"),
            "cmdb/_records.html",
            _records_of,
            "cmdb.view_dnsrecord",
        ),
    ),
    bulk_fields=("supplier", "name_servers", "default_ttl"),
    list_queryset=lambda rows: rows.select_related("domain", "supplier"),
)
DNS_RECORD = Resource(
    model=DnsRecord,
    table=tables.DnsRecordTable,
    form=DnsRecordForm,
    filterset=filters.DnsRecordFilter,
    path="dns-records",
    icon="signs-post",
    search=("name", "value"),
    tabs=TABS,
    bulk_fields=("ttl",),
    import_fields=("zone", "name", "type", "value", "ttl", "notes"),
    list_queryset=lambda rows: rows.select_related("zone", "address"),
    save=save_once,
)
CDN_FIELDS = (
    "name",
    "origin",
    "cname",
    "supplier",
    "domain",
    "certificate",
    "state",
    *ASSET_FIELDS,
    "notes",
)
CDN_DOMAIN = Resource(
    model=CdnDomain,
    table=plain_table(CdnDomain, *CDN_FIELDS[:7], "owner"),
    form=plain_form(CdnDomain, *CDN_FIELDS),
    filterset=plain_filter(CdnDomain, "state", "supplier"),
    path="cdn-domains",
    icon="cloud",
    search=("name", "origin", "cname"),
    tabs=TABS,
    bulk_fields=("origin", "supplier", "certificate", "state", "owner"),
    list_queryset=lambda rows: rows.select_related("supplier", "domain", "certificate"),
)
FOUND = (
    "subject",
    "issuer",
    "names",
    "serial",
    "fingerprint",
    "not_before",
    "not_after",
    "expires_on",
    "chain_problem",
    "checked_at",
    "error",
)
CERTIFICATE = Resource(
    model=Certificate,
    table=tables.CertificateTable,
    form=CertificateForm,
    path="certificates",
    icon="certificate",
    search=("name", "server", "subject", "serial", "owner"),
    tabs=TABS,
    actions=(
        Action(
            _("Check now"),
            "cmdb:certificate_check",
            "rotate",
            "cmdb.change_certificate",
            post=True,
            when=lambda certificate: certificate.server,
        ),
    ),
    detail_fields=(
        "name",
        "server",
        "port",
        "server_name",
        *FOUND,
        *ASSET_FIELDS,
        "notes",
        "pem",
    ),
    bulk_fields=("owner", "notes"),
    api_fields=(*CertificateForm.base_fields, *FOUND),
    save=save_certificate,
)
ALL = (DOMAIN_NAME, DNS_ZONE, DNS_RECORD, CDN_DOMAIN, CERTIFICATE)
