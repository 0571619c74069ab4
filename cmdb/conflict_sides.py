"""What the page of a conflict shows: the machine beside the hosts that it may be, piece of evidence by piece."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from adminset.querysets import may
from cmdb.evidence import SINGLE
from cmdb.models import Host, HostIdentifier, IdentityConflict

MOST_HOSTS = 6
FACTS = ("hostname", "vendor", "product", "os_name", "os_version")
KINDS = HostIdentifier.Kind


def sides(conflict: IdentityConflict, user: Any) -> dict[str, Any]:
    """Give {hosts, may_go, hidden, rows: [{label, machine, cells: [{value, state, shared}]}]}, hosts as far as the user sees them.

    may_go: those of the hosts that the user may merge into another one, which deletes them.
    """
    keys = _involved(conflict)
    seen = Host.objects.visible_to(user).filter(pk__in=keys).order_by("pk")
    hosts = list(seen.select_related("agent").prefetch_related("identifiers"))
    deletable = Host.objects.visible_to(user, "delete").filter(pk__in=keys)
    may_go = set(deletable.values_list("pk", flat=True))
    rows = [_fact_row(name, conflict, hosts) for name in FACTS]
    rows += [_evidence_row(kind, conflict, hosts) for kind in (*SINGLE, "mac")]
    kept = [
        row for row in rows if row["machine"] or any(c["value"] for c in row["cells"])
    ]
    return {
        "hosts": hosts,
        "may_go": [host for host in hosts if host.pk in may_go],
        "hidden": len(keys) - len(hosts),
        "rows": kept,
        "may_decide": _may_decide(conflict, user),
    }


def _involved(conflict: IdentityConflict) -> list[int]:
    keys = list(conflict.hosts.values_list("pk", flat=True))
    alike = Q(pk__in=())
    for kind in SINGLE:
        if value := conflict.evidence.get(kind):
            alike |= Q(kind=kind, value=value)
    found = HostIdentifier.objects.filter(alike).exclude(host__in=keys)
    more = found.order_by("host_id").values_list("host_id", flat=True).distinct()
    return [*keys, *more[:MOST_HOSTS]][:MOST_HOSTS]


def _may_decide(conflict: IdentityConflict, user: Any) -> bool:
    held: bool = user.has_perm("cmdb.change_agent")
    changeable = Host.objects.visible_to(user, "change")
    beyond = conflict.hosts.exclude(pk__in=changeable.values("pk")).exists()
    agent = conflict.agent
    return held and not beyond and (agent is None or may(user, "change", agent))


def _fact_row(
    name: str, conflict: IdentityConflict, hosts: list[Host]
) -> dict[str, Any]:
    said = conflict.claims.get(name) or ""
    return {
        "label": Host._meta.get_field(name).verbose_name,  # type: ignore[union-attr]
        "machine": said,
        "cells": [_cell(said, [getattr(host, name)], shared=False) for host in hosts],
    }


def _evidence_row(
    kind: str, conflict: IdentityConflict, hosts: list[Host]
) -> dict[str, Any]:
    if kind == KINDS.MAC:
        listed = conflict.evidence.get("macs", [])
    else:
        listed = [value] if (value := conflict.evidence.get(kind)) else []
    cells = []
    for host in hosts:
        known = [each for each in host.identifiers.all() if each.kind == kind]
        shared = any(each.quality == HostIdentifier.Quality.SHARED for each in known)
        values = [each.value for each in known]
        common = set(listed) & set(values)
        machine = next(iter(common)) if common else "".join(listed[:1])
        cells.append(_cell(machine, values, shared=shared))
    return {
        "label": KINDS(kind).label,
        "machine": ", ".join(listed[:4]),
        "cells": cells,
    }


def _cell(machine: str, values: list[str], *, shared: bool) -> dict[str, Any]:
    known = [value for value in values if value]
    cell = {"value": ", ".join(known[:4]), "state": "", "word": "", "shared": shared}
    if not machine or not known:
        return cell
    if machine in known:
        return cell | {"state": "ok", "word": _("the same")}
    return cell | {"state": "danger", "word": _("another")}
