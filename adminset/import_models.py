"""A file that came in and what it would do: the plan, and one row for each of its rows."""

import json
import zlib
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# A worker says each few seconds how far it is; one that has been silent for so long is lost.
LOST_SECONDS = 120


class ImportPlanQuerySet(models.QuerySet):
    """Plans by whose they are: a file holds what its owner may know, so nobody else sees the plan."""

    def of(self, user: Any) -> Self:
        """Narrow to a user's own."""
        return self.filter(owner_id=user.pk)


class ImportPlan(models.Model):
    """A file that somebody wants to bring in: what was found in it, and what became of it."""

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", _("waits for a worker")
        PLANNING = "planning", _("is being looked at")
        PLANNED = "planned", _("nothing is changed yet")
        QUEUED = "queued", _("waits for a worker to apply it")
        APPLYING = "applying", _("is being applied")
        APPLIED = "applied", _("applied")
        REFUSED = "refused", _("refused, nothing was changed")
        FAILED = "failed", _("failed, nothing was changed")

    OPEN = (State.WAITING, State.PLANNING, State.QUEUED, State.APPLYING)

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    # Path of the resource, as in addresses ("hosts").
    resource = models.CharField(_("kind"), max_length=80)
    file_name = models.CharField(_("file"), max_length=200)
    file_sha256 = models.CharField(max_length=64)
    encoding = models.CharField(_("encoding"), max_length=80, blank=True)
    separator = models.CharField(_("separator"), max_length=20, blank=True)
    sheet = models.CharField(_("sheet"), max_length=100, blank=True)
    # Names of fields with a comma between, "id", or "": every row is a new object.
    key = models.CharField(_("key"), max_length=200, blank=True)
    # The rows as read: see `content`.
    packed = models.BinaryField(editable=False)
    row_count = models.PositiveIntegerField(_("rows"), default=0)
    language = models.CharField(max_length=20, blank=True)
    state = models.CharField(
        _("state"), max_length=20, choices=State, default=State.WAITING
    )
    counts = models.JSONField(default=dict, blank=True)
    message = models.TextField(blank=True)
    # Whoever works at it holds this word; another one in its place means that the first was given up.
    claim = models.CharField(max_length=32, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=64, blank=True)
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)

    objects = ImportPlanQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-created_at", "-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.file_name

    @property
    def content(self) -> dict[str, Any]:
        """The file as read: {"header", "names", "rows": [[line, cells, faults]]}."""
        read: dict[str, Any] = json.loads(zlib.decompress(bytes(self.packed)))
        return read

    @content.setter
    def content(self, value: dict[str, Any]) -> None:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        self.packed = zlib.compress(text.encode())

    @property
    def is_open(self) -> bool:
        """Whether a worker is at it, or is to be."""
        return self.state in self.OPEN

    @property
    def is_silent(self) -> bool:
        """Whether whoever was to work at it has had time enough (there may still be signs of life: see progress)."""
        since = self.claimed_at or self.created_at
        return self.is_open and since < timezone.now() - timedelta(seconds=LOST_SECONDS)

    @property
    def hindrances(self) -> int:
        """How many rows keep the plan from being applied."""
        return int(self.counts.get("error", 0)) + int(self.counts.get("conflict", 0))

    @property
    def change_count(self) -> int:
        """How many objects it would add or change."""
        return int(self.counts.get("create", 0)) + int(self.counts.get("update", 0))

    @property
    def can_apply(self) -> bool:
        """Whether it may be applied: all of it or nothing."""
        return (
            self.state == self.State.PLANNED
            and not self.hindrances
            and self.change_count > 0
        )


class ImportRow(models.Model):
    """What one row of a file would do."""

    class Kind(models.TextChoices):
        """What would become of it."""

        CREATE = "create", _("new")
        UPDATE = "update", _("update")
        UNCHANGED = "unchanged", _("unchanged")
        CONFLICT = "conflict", _("conflict")
        ERROR = "error", _("error")

    plan = models.ForeignKey(ImportPlan, on_delete=models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField(_("line"))
    kind = models.CharField(_("what happens"), max_length=10, choices=Kind)
    target_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=200, blank=True)
    # {"field", "old", "new"} each, as in the audit trail.
    changes = models.JSONField(default=list, blank=True)
    # {"column", "value", "message"} each.
    errors = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["line", "id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["plan", "line"], name="import_row_line"),
            models.Index(fields=["plan", "kind", "line"], name="import_row_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.kind}"
