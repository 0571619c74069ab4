"""What the portal keeps of lists: views that people save, which of them opens first, and work on many rows at once."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

# A query of every filter there is fits; what is longer is no view but an accident.
LONGEST_QUERY = 4000


class SavedViewQuerySet(models.QuerySet):
    """Views by who may open them."""

    def open_to(self, user: Any) -> Self:
        """Narrow to a user's own views and those that are shared."""
        return self.filter(models.Q(owner_id=user.pk) | models.Q(is_shared=True))


class SavedView(models.Model):
    """A list as somebody set it up: filters, order, columns, page size. It grants nothing: whoever opens it sees his own rows."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    # Path of the resource, as in addresses ("hosts").
    resource = models.CharField(_("list"), max_length=80)
    name = models.CharField(_("name"), max_length=80)
    query = models.TextField(_("query"), max_length=LONGEST_QUERY, blank=True)
    is_shared = models.BooleanField(_("shared"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "id"]
        default_permissions = ("change",)
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "resource", "name"], name="view_once_by_name"
            )
        ]
        indexes = [
            models.Index(fields=["resource", "is_shared"], name="view_shared_of_list")
        ]

    def __str__(self) -> str:
        return self.name


class DefaultView(models.Model):
    """Which view opens when a list is asked for without a query: a user's own choice, or (no user) everybody's."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    resource = models.CharField(max_length=80)
    view = models.ForeignKey(
        SavedView, on_delete=models.CASCADE, related_name="defaults"
    )

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["resource", "user"], name="default_view_of_list")
        ]

    def __str__(self) -> str:
        return f"{self.resource}: {self.view_id}"


class BulkJob(models.Model):
    """Work on many rows that a worker does: all of it, or nothing."""

    class Kind(models.TextChoices):
        """What is done to the rows."""

        EDIT = "edit", _("change")
        RENAME = "rename", _("rename")
        DELETE = "delete", _("delete")

    class State(models.TextChoices):
        """How far it is."""

        WAITING = "waiting", _("waits for a worker")
        RUNNING = "running", _("is being done")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused, nothing was changed")
        FAILED = "failed", _("failed, nothing was changed")

    OPEN = (State.WAITING, State.RUNNING)

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    resource = models.CharField(_("list"), max_length=80)
    kind = models.CharField(_("what is done"), max_length=10, choices=Kind)
    # The rows (keys, or the frozen query), and the values as the form takes them.
    selection = models.JSONField(default=dict)
    wanted = models.JSONField(default=dict)
    total = models.PositiveIntegerField(_("rows"), default=0)
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.WAITING
    )
    message = models.TextField(blank=True)
    # Those of the request that asked: every line of the trail bears them.
    request_id = models.CharField(max_length=64, blank=True)
    address = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("work on many rows")
        verbose_name_plural = _("work on many rows")
        ordering = ["-created_at", "-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.resource}"

    @property
    def is_open(self) -> bool:
        """Whether a worker is at it, or is to be."""
        return self.state in self.OPEN
