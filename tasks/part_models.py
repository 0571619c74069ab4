"""The share of a run that the workers of one queue do: who holds it, until when, and by which number."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class RunPart(models.Model):
    """The hosts of a run that one queue reaches. It is claimed by a conditional UPDATE, and every write names its fence."""

    class Status(models.TextChoices):
        """How a part stands."""

        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        # The batch, a person or a time of day decides when it goes on.
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")

    OPEN = (Status.QUEUED, Status.RUNNING, Status.WAITING)
    STATES: ClassVar[dict[str, str]] = {
        "queued": "idle",
        "running": "busy",
        "waiting": "warning",
        "done": "ok",
    }

    run = models.ForeignKey("tasks.Run", on_delete=models.CASCADE, related_name="parts")
    queue = models.CharField(_("queue"), max_length=100)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.QUEUED, db_index=True
    )
    worker = models.CharField(_("worker"), max_length=150, blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(default=timezone.now)
    # How often workers were lost over it.
    losses = models.PositiveIntegerField(default=0)
    # So often that nobody tries it any more.
    gave_up = models.BooleanField(default=False)
    # Why it does not begin, in a sentence.
    reason = models.CharField(_("why it waits"), max_length=500, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "queue"], name="queue_once_in_run")
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.queue}"
