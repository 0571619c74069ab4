"""By what an asker's inventory is known to be what it was: told from a few rows, without making it."""

import hashlib
import json
import time
from typing import Any

from django.db.models import CharField, Count, Max, Value

from adminset.models import AuditEntry
from adminset.querysets import scope_of
from adminset.scopes import Scope
from cmdb import membership
from cmdb.models import (
    AssetStatus,
    Cabinet,
    Credential,
    Host,
    HostGroup,
    Idc,
    ProductLine,
    Tag,
)

# Counts up with the form of what is told.
FORM = 1
# A transaction that began long ago may commit a time that is older than the newest: so many of the newest count.
NEWEST = 200
NEWEST_LINES = 50
# Members by a filter may change with the clock and with agents; so old may be what is taken for unchanged.
DYNAMIC_SECONDS = 60
# Where these hold decides on what is told.
DECIDING = (
    "cmdb.view_host",
    "cmdb.view_hostgroup",
    "cmdb.view_credential",
    "cmdb.view_productline",
)
SMALL = (AssetStatus, Cabinet, Credential, HostGroup, Idc, ProductLine, Tag)


def tag(user: Any, **asked: Any) -> str:
    """Give the ETag of what is told to somebody who asks so.

    Args:
        asked: what else decides on the answer.
    """
    state = {
        "form": FORM,
        "asked": asked,
        "scopes": [_said(scope_of(user, permission)) for permission in DECIDING],
        "hosts": _hosts(),
        "links": _links(),
        "others": _small(),
        "minute": _minute(),
    }
    text = json.dumps(state, sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _said(scope: Scope | None) -> Any:
    if scope is None:
        return None
    ids = {kind: sorted(keys) for kind, keys in scope.ids.items()}
    return [scope.everything, ids, _said(scope.limit)]


def _hosts() -> list[Any]:
    """Name the hosts that changed last, and what was last done to hosts and groups: who is gone cannot be asked any more.

    Counting a hundred thousand rows would take longer than all the rest; every write has its line in the trail.
    """
    rows = Host.objects.order_by("-updated_at")
    lines = [
        AuditEntry.objects.filter(target_type=model._meta.label_lower)
        .exclude(target_id="")  # exports, this one's own among them
        .order_by("-at")
        .values_list("pk", flat=True)[:NEWEST_LINES]
        for model in (Host, HostGroup)
    ]
    newest = rows.values_list("pk", "updated_at")[:NEWEST]
    return [*map(list, lines), *newest]


def _links() -> list[Any]:
    """Name the newest members of groups and tags of hosts."""
    throughs = (Host.groups.through, Host.tags.through)
    return [each.objects.aggregate(Max("pk")) for each in throughs]


def _small() -> list[Any]:
    """Ask the small tables in one query: name, number of rows, newest change."""
    parts = [
        model.objects.order_by()
        .annotate(table=Value(model._meta.db_table, CharField()))
        .values("table")
        .annotate(rows=Count("pk"), newest=Max("updated_at"))
        .values_list("table", "rows", "newest")
        for model in SMALL
    ]
    return sorted(parts[0].union(*parts[1:], all=True))


def _minute() -> int:
    dynamic = membership.dynamic_groups()
    return int(time.time() // DYNAMIC_SECONDS) if dynamic else 0
