"""Seals the lines that stood before there were seals: each gets its own, then its place in the chain."""

from django.db import migrations

from adminset.audit_seal import SEALED_FIELDS, mac_of, seal_of

BATCH = 500


def seal(apps, schema_editor):
    """Go through the lines in order of id, a batch at a time."""
    entries = apps.get_model("adminset", "AuditEntry").objects
    tails = apps.get_model("adminset", "AuditChain").objects
    tail, _made = tails.get_or_create(pk=1)
    after = -1
    while True:
        found = list(entries.filter(position=None, pk__gt=after).order_by("pk")[:BATCH])
        if not found:
            break
        after = found[-1].pk
        for entry in found:
            entry.mac = mac_of(getattr(entry, name) for name in SEALED_FIELDS)
            tail.position += 1
            tail.seal = seal_of(tail.seal, tail.position, entry.pk, entry.mac)
            entry.position, entry.seal = tail.position, tail.seal
            entry.save(update_fields=["mac", "position", "seal"])
    tail.save()


class Migration(migrations.Migration):
    dependencies = [("adminset", "0003_audit_filters")]

    operations = [migrations.RunPython(seal, migrations.RunPython.noop)]
