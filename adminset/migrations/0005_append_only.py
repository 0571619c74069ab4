"""Has the database itself refuse to change or delete a line of the audit trail."""

from django.db import migrations

from adminset import audit_triggers


def install(apps, schema_editor):
    """Make the triggers."""
    audit_triggers.install(schema_editor.connection)


def drop(apps, schema_editor):
    """Take them away."""
    audit_triggers.drop(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("adminset", "0004_seal_audit_trail")]

    operations = [migrations.RunPython(install, drop)]
