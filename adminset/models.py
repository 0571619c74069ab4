"""Base classes of rows, and the audit trail that every room writes."""

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.import_models import ImportPlan, ImportRow
from adminset.list_models import BulkJob, DefaultView, SavedView
from adminset.querysets import ScopedQuerySet
from adminset.search_models import SearchTerm
from adminset.webhook_models import WebHook, WebHookDelivery
from adminset.words import type_words, verb_words

__all__ = [
    "AppendOnly",
    "AuditChain",
    "AuditEntry",
    "BulkJob",
    "DefaultView",
    "ImportPlan",
    "ImportRow",
    "PortalSwitch",
    "SavedView",
    "SearchTerm",
    "Timestamped",
    "WebHook",
    "WebHookDelivery",
]


class Timestamped(models.Model):
    """A row that knows when it was made and last changed, read through `visible_to`."""

    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        abstract = True


class AppendOnly(ScopedQuerySet):
    """Rows that are added one by one and then stand: whoever wants to change or drop many of them is refused.

    The database refuses it too (adminset/audit_triggers.py); adminset/audit_chain.py alone fills in the place of a line.
    """

    def update(self, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("Audit entries are never changed.")

    def delete(self) -> NoReturn:
        """Refuse."""
        raise TypeError("Audit entries are never deleted.")

    def bulk_create(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: lines are written by `audit.record`, which seals each."""
        raise TypeError("Audit entries are written by adminset.audit.record.")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse."""
        raise TypeError("Audit entries are never changed.")


class AuditEntry(models.Model):
    """One line of the audit trail: who did what to which object, from where. Append-only."""

    # A default and not auto_now_add: the line's seal needs the time before the row is written.
    at = models.DateTimeField(
        _("time"), default=timezone.now, editable=False, db_index=True
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    actor_kind = models.CharField(_("kind of actor"), max_length=20)
    actor_name = models.CharField(_("actor"), max_length=150)
    verb = models.CharField(_("action"), max_length=80)
    target_type = models.CharField(_("object type"), max_length=80, blank=True)
    target_id = models.CharField(_("object id"), max_length=64, blank=True)
    target_name = models.CharField(_("object"), max_length=200, blank=True)
    changes = models.JSONField(_("changes"), default=list, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    request_id = models.CharField(
        _("request"), max_length=64, blank=True, db_index=True
    )
    address = models.CharField(_("address"), max_length=64, blank=True)
    # adminset/audit_chain.py: `mac` seals the line itself as it is written, `position` and `seal` chain it after the commit.
    mac = models.CharField(max_length=64, blank=True, editable=False)
    position = models.BigIntegerField(
        _("place in the chain"), null=True, unique=True, editable=False
    )
    seal = models.CharField(_("seal"), max_length=64, blank=True, editable=False)

    objects = AppendOnly.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ["-at", "-id"]
        # Each filter of the page ends in the order of the page, so that its newest lines are found without sorting.
        indexes = [
            models.Index(
                fields=["target_type", "target_id", "at"], name="audit_target_at"
            ),
            models.Index(fields=["target_type", "at"], name="audit_kind_at"),
            models.Index(fields=["actor", "at"], name="audit_actor_at"),
            models.Index(fields=["actor_name", "at"], name="audit_name_at"),
            models.Index(fields=["verb", "at"], name="audit_verb_at"),
            models.Index(fields=["address", "at"], name="audit_address_at"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_name} {self.verb} {self.target_name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the line; a line that stands is never changed."""
        if self.pk is not None:
            raise TypeError("An audit entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse: the trail only grows."""
        raise TypeError("An audit entry is never deleted.")

    @property
    def what(self) -> Any:
        """What was done, in words."""
        return verb_words(self.verb)

    @property
    def target_kind(self) -> Any:
        """What the object is called."""
        return type_words(self.target_type) if self.target_type else ""


class AuditChain(models.Model):
    """The last seal of the audit trail, in one row: whoever chains a line locks it."""

    position = models.BigIntegerField(default=0)
    seal = models.CharField(max_length=64, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"audit chain at {self.position}"


class PortalSwitch(Timestamped):
    """A switch of the whole portal that people turn while it runs, such as maintenance."""

    name = models.CharField(_("name"), max_length=50, unique=True)
    value = models.JSONField(_("value"), default=dict, blank=True)

    class Meta:
        verbose_name = _("switch of the portal")
        verbose_name_plural = _("switches of the portal")
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return self.name
