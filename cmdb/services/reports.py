"""Writes what an agent found into its host, field by field; what stronger sources have set stays."""

from collections.abc import Collection
from typing import Any

from cmdb import facts as reading
from cmdb.models import Host, Source
from cmdb.services import provenance
from cmdb.services.parts import store_parts

# Two names that others know this module by.
SHARED_FIELDS = provenance.SHARED_FIELDS


def write_facts(
    host: Host, facts: dict[str, Any], kept: Collection[str] = (), *, parts: bool = True
) -> list[dict[str, Any]]:
    """Write clean facts into a saved host and give the typed changes; no change, no UPDATE.

    Args:
        kept: fields that stay though the agent may write them: it is not sure which machine it speaks for.
        parts: whether the parts of the machine (interfaces, disks) and what has no field are written too.
    """
    wanted = reading.columns(facts)
    if address := reading.management_address(facts):
        wanted["address"] = address
    changes = provenance.write(host=host, values=wanted, source=Source.AGENT, kept=kept)
    written = [change["field"] for change in changes]
    differs = parts and host.facts != facts
    if differs:
        changes += reading.differences(host.facts, facts)
        host.facts = facts
    if written or differs:
        host.save(update_fields=[*written, "facts", "updated_at"])
    if differs:
        store_parts(host, facts)
    return changes
