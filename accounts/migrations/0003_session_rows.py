"""Sessions get a number of their own, and room for the whole hash. Those that are open end: everybody signs in once more."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import accounts.token_models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_access")]

    operations = [
        migrations.DeleteModel(name="PortalSession"),
        migrations.CreateModel(
            name="PortalSession",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "session_key",
                    accounts.token_models.HashField(
                        editable=False, max_length=64, unique=True
                    ),
                ),
                ("session_data", models.TextField(editable=False)),
                (
                    "expire_date",
                    models.DateTimeField(
                        db_index=True, verbose_name="ends at the latest"
                    ),
                ),
                (
                    "method",
                    models.CharField(
                        blank=True, max_length=40, verbose_name="signed in by"
                    ),
                ),
                (
                    "address",
                    models.CharField(blank=True, max_length=64, verbose_name="address"),
                ),
                (
                    "browser",
                    models.CharField(
                        blank=True, max_length=300, verbose_name="browser"
                    ),
                ),
                (
                    "began_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="began"
                    ),
                ),
                (
                    "seen_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="last active"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "ordering": ["-seen_at", "-pk"],
                "default_permissions": ("view", "delete"),
            },
        ),
    ]
