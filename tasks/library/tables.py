"""The lists of the library: items of each kind, all versions, git repositories."""

from collections import Counter
from functools import cached_property
from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from tasks.library.used_by import counts_of
from tasks.models import GitSource, Playbook, Role, Script, StoredFile, Version

AGO = "{% ago value %}"
BADGE = "{% if record.badge %}{% status_badge record.badge.state record.badge.label %}{% else %}-{% endif %}"
NUMBER = {"td": {"class": "num"}}


class ItemTable(ResourceTable):
    """What all lists of items show."""

    name = tables.Column(linkify=True)
    version_number = tables.Column(verbose_name=_("version"), attrs=NUMBER)
    version_state = tables.TemplateColumn(BADGE, verbose_name=_("state"))
    used_by = tables.Column(
        verbose_name=_("used by"), empty_values=(), orderable=False, attrs=NUMBER
    )
    git_source = tables.Column(linkify=True)
    updated_at = tables.TemplateColumn(AGO, verbose_name=_("changed"))

    @cached_property
    def _counts(self) -> Counter[int]:
        """How much uses each item: asked for once, for all rows."""
        request = getattr(self, "request", None)
        user = getattr(request, "user", None)
        return counts_of(self._meta.model, user) if user else Counter()

    def render_used_by(self, record: Any) -> int:
        """Draw the number."""
        return self._counts[record.pk]

    def value_used_by(self, record: Any) -> int:
        """Give the number for exports."""
        return self._counts[record.pk]

    def value_version_state(self, record: Any) -> str:
        """Give the word for exports."""
        return record.badge["label"] if record.badge else ""


ITEM_FIELDS = (
    "name",
    "version_number",
    "version_state",
    "used_by",
    "description",
    "git_source",
    "updated_at",
)
SHOWN_FIRST = (
    "name",
    "language",
    "version_number",
    "version_state",
    "used_by",
    "description",
    "updated_at",
)


class ScriptTable(ItemTable):
    """Scripts."""

    class Meta(ResourceTable.Meta):
        model = Script
        fields = ("name", "language", *ITEM_FIELDS[1:])
        default_columns = SHOWN_FIRST


class PlaybookTable(ItemTable):
    """Playbooks."""

    class Meta(ResourceTable.Meta):
        model = Playbook
        fields = ITEM_FIELDS
        default_columns = SHOWN_FIRST


class RoleTable(ItemTable):
    """Roles."""

    class Meta(ResourceTable.Meta):
        model = Role
        fields = ITEM_FIELDS
        default_columns = SHOWN_FIRST


class StoredFileTable(ItemTable):
    """Files."""

    class Meta(ResourceTable.Meta):
        model = StoredFile
        fields = ITEM_FIELDS
        default_columns = SHOWN_FIRST


class VersionTable(ResourceTable):
    """Versions of all items: what waits for approval is found by the filter."""

    item = tables.Column(
        verbose_name=_("item"),
        linkify=lambda record: record.get_absolute_url(),
        orderable=False,
    )
    number = tables.Column(attrs=NUMBER)
    state = tables.TemplateColumn(BADGE)
    size = tables.TemplateColumn("{{ value|filesizeformat }}", attrs=NUMBER)
    created_at = tables.TemplateColumn(AGO)
    commit = tables.TemplateColumn("<code>{{ value|slice:':12' }}</code>")

    class Meta(ResourceTable.Meta):
        model = Version
        fields = (
            "item",
            "number",
            "state",
            "author_name",
            "note",
            "judged_by_name",
            "commit",
            "size",
            "created_at",
        )
        default_columns = (
            "item",
            "number",
            "state",
            "author_name",
            "note",
            "created_at",
        )

    def value_state(self, record: Version) -> str:
        """Give the word for exports."""
        return record.get_state_display()


class GitSourceTable(ResourceTable):
    """Git repositories."""

    name = tables.Column(linkify=True)
    state = tables.TemplateColumn(BADGE)
    fetched_at = tables.TemplateColumn(AGO)
    commit = tables.TemplateColumn("<code>{{ value|slice:':12' }}</code>")

    class Meta(ResourceTable.Meta):
        model = GitSource
        fields = ("name", "url", "branch", "state", "commit", "fetched_at")

    def value_state(self, record: GitSource) -> str:
        """Give the word for exports."""
        return record.get_state_display()
