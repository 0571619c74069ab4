"""Status pages: what people outside are told of, in words of their own, and nothing else."""

from datetime import datetime
from typing import Any, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import ScopedQuerySet
from monitor.check_models import ServiceCheck
from monitor.heartbeat_models import Heartbeat


def in_language(english: str, chinese: str) -> str:
    """Choose the reader's language; where that text is missing, the other one."""
    wanted, other = english, chinese
    if (get_language() or "").startswith("zh"):
        wanted, other = chinese, english
    return wanted or other


def this_minute() -> datetime:
    """Give the moment as the form can take it: without seconds."""
    return timezone.now().replace(second=0, microsecond=0)


class StatusPage(Timestamped):
    """A page that says how services are."""

    slug = models.CharField(
        _("name in the address"),
        max_length=60,
        unique=True,
        validators=[
            RegexValidator(
                r"\A[a-z0-9]+(-[a-z0-9]+)*\Z",
                _("Lower-case letters, digits and single hyphens."),
            )
        ],
    )
    title_en = models.CharField(_("title (English)"), max_length=150)
    title_zh = models.CharField(_("title (Chinese)"), max_length=150, blank=True)
    text_en = models.TextField(_("text (English)"), blank=True, max_length=4000)
    text_zh = models.TextField(_("text (Chinese)"), blank=True, max_length=4000)
    is_public = models.BooleanField(
        _("public"),
        default=False,
        help_text=_(
            "Anybody may read it, where ADMINSET_STATUS_PAGES_PUBLIC is on. Else: everybody who is signed in."
        ),
    )

    class Meta:
        verbose_name = _("status page")
        verbose_name_plural = _("status pages")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.title_en

    def get_absolute_url(self) -> str:
        """Give the address of its page in the portal."""
        return reverse("monitor:statuspage_detail", args=[self.pk])

    @property
    def public_path(self) -> str:
        """Address of the page that readers open."""
        return reverse("status:status_page", args=[self.slug])

    public_path.fget.short_description = _("address")  # type: ignore[attr-defined]


class StatusItemQuerySet(ScopedQuerySet):
    """Lines of status pages, without those whose check the user may not see."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to lines of checks and heartbeats that the user may see."""
        checks = ServiceCheck.objects.visible_to(user).order_by().values("pk")
        heartbeats = Heartbeat.objects.visible_to(user).order_by().values("pk")
        own = Q(service_check=None) | Q(service_check__in=checks)
        own &= Q(heartbeat=None) | Q(heartbeat__in=heartbeats)
        return super().visible_to(user, action).filter(own)


class StatusItem(Timestamped):
    """A line of a status page: a check or a heartbeat under a name for readers."""

    page = models.ForeignKey(
        "monitor.StatusPage",
        verbose_name=_("status page"),
        on_delete=models.CASCADE,
        related_name="items",
    )
    name_en = models.CharField(_("name (English)"), max_length=150)
    name_zh = models.CharField(_("name (Chinese)"), max_length=150, blank=True)
    group_en = models.CharField(_("heading (English)"), max_length=150, blank=True)
    group_zh = models.CharField(_("heading (Chinese)"), max_length=150, blank=True)
    position = models.PositiveIntegerField(_("position"), default=1)
    service_check = models.ForeignKey(
        "monitor.ServiceCheck",
        verbose_name=_("service check"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="status_items",
    )
    heartbeat = models.ForeignKey(
        "monitor.Heartbeat",
        verbose_name=_("heartbeat"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="status_items",
    )

    objects = StatusItemQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("line of a status page")
        verbose_name_plural = _("lines of status pages")
        ordering = ["page_id", "position", "id"]

    def __str__(self) -> str:
        return self.name_en

    def get_absolute_url(self) -> str:
        """Give the address of its page in the portal."""
        return reverse("monitor:statusitem_detail", args=[self.pk])


class StatusNote(Timestamped):
    """An incident or a maintenance, told by hand."""

    class Kind(models.TextChoices):
        """Kinds of note."""

        INCIDENT = "incident", _("incident")
        MAINTENANCE = "maintenance", _("maintenance")

    page = models.ForeignKey(
        "monitor.StatusPage",
        verbose_name=_("status page"),
        on_delete=models.CASCADE,
        related_name="notes",
    )
    kind = models.CharField(
        _("kind"), max_length=15, choices=Kind, default=Kind.INCIDENT
    )
    title_en = models.CharField(_("title (English)"), max_length=150)
    title_zh = models.CharField(_("title (Chinese)"), max_length=150, blank=True)
    text_en = models.TextField(_("text (English)"), blank=True, max_length=4000)
    text_zh = models.TextField(_("text (Chinese)"), blank=True, max_length=4000)
    starts_at = models.DateTimeField(_("starts"), default=this_minute)
    ends_at = models.DateTimeField(
        _("ended"), null=True, blank=True, help_text=_("Empty: it goes on.")
    )

    class Meta:
        verbose_name = _("note of a status page")
        verbose_name_plural = _("notes of status pages")
        ordering = ["-starts_at", "-id"]

    def __str__(self) -> str:
        return self.title_en

    def get_absolute_url(self) -> str:
        """Give the address of its page in the portal."""
        return reverse("monitor:statusnote_detail", args=[self.pk])
