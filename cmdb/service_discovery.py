"""The fleet as Prometheus' HTTP service discovery takes it: a target for each host, with labels to choose and rename by."""

import re
from collections import defaultdict
from typing import Any

from django.db.models import QuerySet

from cmdb import inventory
from cmdb.models import Host

PREFIX = "__meta_adminset_"
NOT_IN_A_LABEL = re.compile(r"[^a-zA-Z0-9_]")
# What may stand before the port of a target.
PLACE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_])?")
LABELS = (
    "hostname",
    "kind",
    "status",
    "idc",
    "cabinet",
    "product_line",
    "owner",
    "os_name",
    "os_version",
)
Target = dict[str, Any]


def targets(user: Any, hosts: QuerySet[Host], port: int) -> list[Target]:
    """List {"targets": ["address:port"], "labels"} of hosts; one that has neither an address nor a usable name is left out.

    Every host has every label, with "" for what is not known, so that a rule that reads one never meets an old value.
    """
    groups = _words_of(inventory.members_of(user))
    tags = _tags()
    found = []
    for row in inventory.rows_of(user, hosts):
        if place := _place(row):
            labels = _labels(row)
            labels[f"{PREFIX}groups"] = _listed(groups.get(row["pk"], ()))
            labels[f"{PREFIX}tags"] = _listed(tags.get(row["pk"], ()))
            found.append({"targets": [f"{place}:{port}"], "labels": labels})
    return found


def _place(row: inventory.Row) -> str:
    address = str(row["address"] or "")
    if address:
        return f"[{address}]" if ":" in address else address
    return row["hostname"] if PLACE.fullmatch(row["hostname"]) else ""


def _labels(row: inventory.Row) -> dict[str, str]:
    labels = {f"{PREFIX}{name}": str(row[name] or "") for name in LABELS}
    labels[f"{PREFIX}id"] = str(row["pk"])
    labels[f"{PREFIX}address"] = str(row["address"] or "")
    for key, value in row["custom"].items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        labels[f"{PREFIX}custom_{NOT_IN_A_LABEL.sub('_', key)}"] = text
    return labels


def _listed(words: Any) -> str:
    """Write several words so that a rule can ask for one: ",db,web,"."""
    return f",{','.join(sorted(words))}," if words else ""


def _words_of(members: dict[str, list[int]]) -> dict[int, set[str]]:
    words: dict[int, set[str]] = defaultdict(set)
    for name, keys in members.items():
        for key in keys:
            words[key].add(name)
    return words


def _tags() -> dict[int, set[str]]:
    words: dict[int, set[str]] = defaultdict(set)
    pairs = Host.tags.through.objects.values_list("host_id", "tag__name")
    for key, name in pairs.iterator(chunk_size=inventory.CHUNK):
        words[key].add(name)
    return words
