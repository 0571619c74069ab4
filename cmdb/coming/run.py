"""Brings an AdminSet over, all of it or nothing; a dry run does the same and takes it back."""

from collections import defaultdict
from typing import Any

from django.db import transaction

from cmdb.coming import machines, places
from cmdb.coming.putting import Putter
from cmdb.coming.reading import text
from cmdb.coming.report import Report
from cmdb.coming.source import AdminSet

Pairs = list[tuple[Any, Any]]
PROJECTS = "appconf_project"
# Has rows that this does not bring along; the report counts them.
LEFT_OUT = (
    "navi_navi",
    "delivery_delivery",
    "delivery_delivery_serverList",
    "accounts_userinfo",
    "accounts_rolelist",
    "accounts_permissionlist",
    "cmdb_userinfo",
    "cmdb_ipsource",
    "cmdb_interface",
    "django_celery_beat_periodictask",
)


def bring_over(
    source: AdminSet, *, currency: str, apply: bool, skip_problems: bool = False
) -> tuple[Report, bool]:
    """Read everything and write it in one transaction.

    Args:
        currency: of amounts that name none. apply: keep what was written.
        skip_problems: keep it though some rows cannot be brought over.

    Returns:
        the report, and whether anything was kept.
    """
    putter = Putter()
    with transaction.atomic():
        _people(putter, source)
        _places(putter, source)
        _machines(putter, source)
        for row in source.rows(places.CONTRACTS):
            places.put_contract(putter, row, currency)
        report = putter.report
        report.not_imported = {PROJECTS: _projects(source)}
        report.left_out = {name: n for name in LEFT_OUT if (n := source.count(name))}
        kept = apply and (skip_problems or not report.problems)
        transaction.set_rollback(not kept)
    return report, kept


def _people(putter: Putter, source: AdminSet) -> None:
    for row in source.rows(places.OWNERS):
        places.put_owner(putter, row)
    for row in source.rows(places.PRODUCTS):
        places.put_product(putter, row)
    for row in source.rows(places.LOGINS):
        places.put_login(putter, row)


def _places(putter: Putter, source: AdminSet) -> None:
    for row in source.rows(places.REGIONS):
        places.put_region(putter, row)
    for row in source.rows(places.BRANCHES):
        places.put_branch(putter, row)
    for row in source.rows(places.IDCS):
        places.put_idc(putter, row)
    idc_of = {row["id"]: row.get("idc_id") for row in source.rows(machines.HOSTS)}
    standing = defaultdict(set)
    for cabinet, host in _pairs(source, "cmdb_cabinet_serverList", "cabinet_id"):
        standing[cabinet].add(idc_of.get(host))
    for row in source.rows(places.CABINETS):
        places.put_cabinet(putter, row, standing[row["id"]] - {None})


def _machines(putter: Putter, source: AdminSet) -> None:
    rows = source.rows(machines.HOSTS)
    machines.ensure_fields(putter, rows)
    cabinets = defaultdict(list)
    for cabinet, host in _pairs(source, "cmdb_cabinet_serverList", "cabinet_id"):
        cabinets[host].append(cabinet)
    for row in rows:
        machines.put_host(putter, row, cabinets[row["id"]])
    members = _pairs(source, "cmdb_hostgroup_serverList", "hostgroup_id")
    # The first 0.5 kept the one group of a host in its own row.
    members += [(row["group_id"], row["id"]) for row in rows if row.get("group_id")]
    machines.put_groups(putter, source.rows(machines.GROUPS), members)


def _pairs(source: AdminSet, table: str, column: str) -> Pairs:
    return [(row[column], row["host_id"]) for row in source.rows(table)]


def _projects(source: AdminSet) -> list[dict[str, Any]]:
    """List the projects with the names of what they refer to; logins in their addresses are masked."""
    products = {row["id"]: row.get("name") for row in source.rows(places.PRODUCTS)}
    owners = {row["id"]: row.get("name") for row in source.rows(places.OWNERS)}
    found = []
    for row in source.rows(PROJECTS):
        told = {name: text(value) for name, value in row.items()}
        told["source_address"] = places.LOGIN.sub("//••••@", told["source_address"])
        told["product"] = text(products.get(row.get("product_id")))
        told["owner"] = text(owners.get(row.get("owner_id")))
        found.append(told)
    return found
