"""Writes what an agent found into its host, field by field; what people have set stays."""

from typing import Any

from cmdb import facts as reading
from cmdb.models import Host

# The fields that both people and agents fill; once a person has set one, it is the person's.
SHARED_FIELDS = (
    "hostname",
    "address",
    "kind",
    "vendor",
    "product",
    "serial",
    "os_name",
    "os_version",
    "cpu_model",
    "cpu_threads",
)


def write_facts(host: Host, facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Write clean facts into a saved host and give the typed changes; no change, no UPDATE."""
    wanted = reading.columns(facts)
    if not host.address:
        wanted["address"] = reading.management_address(facts)
    changes = []
    for name, value in wanted.items():
        old = getattr(host, name)
        if name not in host.locked_fields and old != value:
            setattr(host, name, value)
            changes.append({"field": name, "old": old, "new": value})
    written = [change["field"] for change in changes]
    changes += reading.differences(host.facts, facts)
    if written or host.facts != facts:
        host.facts = facts
        host.save(update_fields=[*written, "facts", "updated_at"])
    return changes
