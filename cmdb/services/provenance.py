"""Whose word counts for a field of a host: a person's, then a contract's or an import's, then the agent's, then a scan's."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.utils import timezone

from adminset import gathering
from cmdb import facts as reading
from cmdb.models import FieldSource, Host, Source

# The fields that both people and machines fill; once a person has set one, it is the person's.
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
# What the agent says of the machine itself, kept back while it is not sure which machine it speaks for.
ASSET_FIELDS = frozenset({"vendor", "product", "serial", "kind"})
RANKS = {
    Source.PERSON: 4,
    Source.CONTRACT: 3,
    Source.IMPORT: 3,
    Source.AGENT: 2,
    Source.SCAN: 1,
}
Change = dict[str, Any]


def write(
    *,
    host: Host,
    values: Mapping[str, Any],
    source: Source,
    by: str = "",
    kept: Collection[str] = (),
) -> list[Change]:
    """Set fields of a saved host as a source says them, where no stronger source holds them; gives the typed changes.

    The host itself is not saved: the caller saves the fields of the changes. What is refused is kept beside the field
    as "the agent says X", and makes the host disputed.

    Args:
        by: name of the person, import or contract.
        kept: fields that stay, whoever holds them.
    """
    rows = {row.field: row for row in host.field_sources.all()}
    changes = []
    for name, value in values.items():
        old, row = getattr(host, name), rows.get(name)
        if name in kept or not _may(host, row, name, source):
            _say_otherwise(host, row, name, source, value if value != old else None)
            continue
        if old != value:
            setattr(host, name, value)
            changes.append({"field": name, "old": old, "new": value})
        _hold(host, row, name, source, by)
    _note_dispute(host)
    return changes


def holder(host: Host, row: FieldSource | None, name: str) -> Source:
    """Say whose a field is; without a word of anybody: the agent's, where there is one."""
    if name in host.locked_fields:
        return Source.PERSON
    if row is not None:
        return Source(row.source)
    return Source.AGENT if host.facts else Source.SCAN


def _may(host: Host, row: FieldSource | None, name: str, source: Source) -> bool:
    if source == Source.SCAN and name == "hostname":
        # A scan knows an address and what answers there, never a name.
        return False
    if source == Source.AGENT and name == "address" and host.address:
        # Whoever signs in there sends a credential or trusts a key: a machine may not move that by itself.
        guarded = bool(host.credential_id or host.host_key)
        if guarded:
            return False
    return RANKS[source] >= RANKS[holder(host, row, name)]


def _hold(
    host: Host, row: FieldSource | None, name: str, source: Source, by: str
) -> None:
    if source == Source.AGENT:
        # What the agent holds needs no row: it was confirmed when its facts came last.
        if row is not None:
            row.delete()
        return
    FieldSource.objects.update_or_create(
        host=host,
        field=name,
        defaults={
            "source": source,
            "by": by[:150],
            "confirmed_at": timezone.now(),
            **_SAID_NOTHING,
        },
    )


_SAID_NOTHING: dict[str, Any] = {"said": None, "said_by": "", "said_at": None}


def _say_otherwise(
    host: Host, row: FieldSource | None, name: str, source: Source, value: Any
) -> None:
    now = timezone.now()
    if row is None:
        if value is None:
            return
        row = FieldSource(host=host, field=name, source=holder(host, None, name))
    if value is None:
        row.confirmed_at = now
        if row.said_by in ("", source):
            row.said, row.said_by, row.said_at = None, "", None
    elif row.said != value or row.said_by != source:
        row.said, row.said_by, row.said_at = value, source, now
    row.save()


def claim(
    *,
    host: Host,
    fields: Iterable[str],
    source: Source,
    by: str = "",
    is_new: bool = False,
) -> None:
    """Note that a source has set fields of a saved host to what they hold now; the agent's other word is kept beside.

    Args:
        is_new: nobody has said anything of this host yet.
    """
    names = list(fields)
    if not names:
        return
    said, now = agents_word(host), timezone.now()
    if not is_new:
        host.field_sources.filter(field__in=names).delete()
    rows = [
        FieldSource(host=host, field=name, source=source, by=by[:150], confirmed_at=now)
        for name in names
    ]
    for row in rows:
        if said.get(row.field) not in (None, getattr(host, row.field)):
            row.said, row.said_by, row.said_at = said[row.field], Source.AGENT, now
    gathering.create(rows)
    if host.disputed or any(row.said_by for row in rows):
        _note_dispute(host)


def release(*, host: Host, fields: Iterable[str]) -> None:
    """Give fields back to whoever fills them next."""
    names = list(fields)
    if names:
        host.field_sources.filter(field__in=names).delete()
        _note_dispute(host)


def forget_word(host: Host, source: Source) -> None:
    """Forget what a source that speaks of another machine said otherwise of this one."""
    rows = host.field_sources.filter(said_by=source)
    rows.filter(source=source).delete()
    rows.update(**_SAID_NOTHING)
    _note_dispute(host)


def agents_word(host: Host) -> dict[str, Any]:
    """Map the fields to what the agent says of them, by its last facts."""
    said = reading.columns(host.facts)
    if address := reading.management_address(host.facts):
        said["address"] = address
    return said


def stronger(host: Host, fields: Iterable[str], source: Source) -> set[str]:
    """Name those of the fields that a stronger source holds."""
    rows = {row.field: row for row in host.field_sources.all()} if host.pk else {}
    held = {name: holder(host, rows.get(name), name) for name in fields}
    return {name for name, whose in held.items() if RANKS[whose] > RANKS[source]}


def _note_dispute(host: Host) -> None:
    disputed = (
        host.field_sources.exclude(said_by="").exists()
        or host.identity_conflicts.open().exists()
    )
    if disputed != host.disputed:
        host.disputed = disputed
        Host.objects.filter(pk=host.pk).update(disputed=disputed)


def refresh_dispute(hosts: Iterable[Host]) -> None:
    """Say anew of hosts whether something about them is disputed."""
    for host in hosts:
        _note_dispute(host)
