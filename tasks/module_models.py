"""Task modules (OMServer's idea): a name, a typed form and an action of a few lines."""

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from tasks.taskmodules.definitions import said


class TaskModuleQuerySet(ScopedQuerySet):
    """Task modules by who may use or change them."""

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to a scope: whoever may use modules on some hosts may use all of them, on those hosts."""
        return self.all() if action == "use" else super().within(scope, action)


class TaskModule(Timestamped):
    """A module: `definition` holds its form and its action as tasks/modules/*.yml do; `file` names the one it came from."""

    name = models.SlugField(_("name"), max_length=64, unique=True)
    title = models.CharField(_("title"), max_length=100)
    category = models.CharField(_("category"), max_length=64, blank=True)
    description = models.CharField(_("description"), max_length=500, blank=True)
    # As it was written, with its remarks; `definition` holds the same as plain values.
    text = models.TextField(_("definition (YAML)"), blank=True, max_length=65536)
    definition = models.JSONField(_("definition"), default=dict, editable=False)
    file = models.CharField(_("file"), max_length=200, blank=True, editable=False)
    sha256 = models.CharField(
        "SHA-256",
        max_length=64,
        editable=False,
        validators=[RegexValidator(r"\A[0-9a-f]{64}\Z")],
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    objects = TaskModuleQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("task module")
        verbose_name_plural = _("task modules")
        ordering = ["category", "title", "name"]
        permissions = [("use_taskmodule", "Can run task module")]

    def __str__(self) -> str:
        """Give the title in the reader's language."""
        kept = self.definition if isinstance(self.definition, dict) else {}
        return said(kept.get("title")) or self.title

    @property
    def category_said(self) -> str:
        """The category in the reader's language."""
        return said(self.definition.get("category")) or self.category

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:taskmodule_detail", args=[self.pk])
