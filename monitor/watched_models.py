"""What checks and heartbeats have in common: whose they are, how they stand and since when, and the table of their changes."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from cmdb.models import Host, HostGroup, ProductLine


class State(models.TextChoices):
    """How a watched thing stands."""

    UP = "up", pgettext_lazy("service", "up")
    DEGRADED = "degraded", pgettext_lazy("service", "degraded")
    DOWN = "down", pgettext_lazy("service", "down")
    UNKNOWN = "unknown", pgettext_lazy("service", "unknown")
    PAUSED = "paused", pgettext_lazy("service", "paused")


COLOURS: dict[str, str] = {
    State.UP: "ok",
    State.DEGRADED: "warning",
    State.DOWN: "danger",
    State.UNKNOWN: "idle",
    State.PAUSED: "idle",
}


class WatchedQuerySet(ScopedQuerySet):
    """Checks and heartbeats by who may see them: they lie where their host, group or product line lies."""

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to rows in the scope: one of their places lies there to look, all of them to change."""
        places = {
            "host": Host.objects.all().within(scope, "view"),
            "host_group": HostGroup.objects.all().within(scope, "view"),
            "product_line": ProductLine.objects.all().within(scope, "view"),
        }
        reached, beyond = Q(pk__in=()), Q(pk__in=())
        for name, rows in places.items():
            lies = Q(**{f"{name}__in": rows.order_by().values("pk")})
            reached |= lies
            beyond |= Q(**{f"{name}__isnull": False}) & ~lies
        found = self.filter(reached)
        return found if action == "view" else found.exclude(beyond)


class Watched(Timestamped):
    """A check or a heartbeat.

    What people say of it and how it stands lie in one row, which both write: `save` leaves alone what machines found.
    """

    # Columns that only machines write.
    FOUND: ClassVar[frozenset[str]] = frozenset()

    name = models.CharField(_("name"), max_length=150, unique=True)
    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="%(class)ss",
    )
    host_group = models.ForeignKey(
        "cmdb.HostGroup",
        verbose_name=_("host group"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
        help_text=_("Whose it is: people of this group see it."),
    )
    product_line = models.ForeignKey(
        "cmdb.ProductLine",
        verbose_name=_("product line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
        help_text=_("Whose it is: people of this product line see it."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    notes = models.TextField(_("notes"), blank=True)

    state = models.CharField(
        _("state"),
        max_length=10,
        choices=State,
        default=State.UNKNOWN,
        editable=False,
        db_index=True,
    )
    sentence = models.CharField(
        _("result"), max_length=500, blank=True, default="", editable=False
    )
    since = models.DateTimeField(_("since"), null=True, blank=True, editable=False)
    # From here on its changes are complete: before it nothing is known.
    known_from = models.DateTimeField(null=True, blank=True, editable=False)

    objects = WatchedQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save what people say of it; a result that came meanwhile stays."""
        if self._state.adding:
            self.begin(timezone.now())
        elif kwargs.get("update_fields") is None:
            names = {field.name for field in self._meta.concrete_fields}
            kwargs["update_fields"] = names - self.FOUND - {"id"}
        super().save(*args, **kwargs)

    def begin(self, now: datetime) -> None:
        """Fill in what a new one starts from."""
        self.since = self.since or now
        self.known_from = self.known_from or now

    @property
    def badge(self) -> dict[str, Any]:
        """Give its state as the head of the page draws it."""
        return {"state": self.colour, "label": self.get_state_display()}

    @property
    def colour(self) -> str:
        """Colour of the state."""
        return COLOURS[self.state]


class CheckFlip(models.Model):
    """That a check or a heartbeat changed its state; each change is written once, whoever found it."""

    check_row = models.ForeignKey(
        "monitor.ServiceCheck",
        verbose_name=_("service check"),
        null=True,
        on_delete=models.CASCADE,
        related_name="flips",
        db_index=False,
    )
    heartbeat = models.ForeignKey(
        "monitor.Heartbeat",
        verbose_name=_("heartbeat"),
        null=True,
        on_delete=models.CASCADE,
        related_name="flips",
        db_index=False,
    )
    at = models.DateTimeField(_("time"))
    old = models.CharField(_("before"), max_length=10, choices=State)
    new = models.CharField(_("after"), max_length=10, choices=State)
    sentence = models.CharField(_("result"), max_length=500, blank=True)
    # The outbox: who tells people of changes takes those that were not told yet.
    told_at = models.DateTimeField(null=True, default=None)

    class Meta:
        verbose_name = _("change of state")
        verbose_name_plural = _("changes of state")
        default_permissions = ()
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(check_row__isnull=True, heartbeat__isnull=False)
                | Q(check_row__isnull=False, heartbeat__isnull=True),
                name="flip_of_one_thing",
            )
        ]
        indexes = [
            models.Index(fields=["check_row", "at"], name="flip_of_check"),
            models.Index(fields=["heartbeat", "at"], name="flip_of_heartbeat"),
            models.Index(fields=["told_at", "id"], name="flip_outbox"),
            models.Index(fields=["at"], name="flip_age"),
        ]

    def __str__(self) -> str:
        return f"{self.old} -> {self.new}"

    @property
    def colour(self) -> str:
        """Colour of the state after it."""
        return COLOURS[self.new]
