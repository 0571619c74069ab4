"""The git repositories that items of the library are read from, and how the last reading went."""

from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from tasks.git_checks import check_branch, check_git_url


class GitSource(Timestamped):
    """A git repository that items of the library are read from, at a commit."""

    class State(models.TextChoices):
        """How the last reading stands."""

        NEVER = "never", _("not fetched yet")
        WAITING = "waiting", _("waits for a worker")
        RUNNING = "running", _("is being fetched")
        OK = "ok", _("fetched")
        FAILED = "failed", _("failed")

    OPEN = (State.WAITING, State.RUNNING)
    STATES: ClassVar[dict[str, str]] = {
        "never": "idle",
        "waiting": "idle",
        "running": "busy",
        "ok": "ok",
        "failed": "danger",
    }

    name = models.CharField(_("name"), max_length=100, unique=True)
    url = models.CharField(
        _("address"),
        max_length=500,
        validators=[check_git_url],
        help_text=_(
            "https://host/path.git, ssh://git@host/path.git or git@host:path.git."
        ),
    )
    branch = models.CharField(
        _("branch or tag"), max_length=200, default="main", validators=[check_branch]
    )
    credential = models.ForeignKey(
        "cmdb.Credential",
        verbose_name=_("credential"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="git_sources",
        help_text=_(
            "Its user name and password are for https, its private key or password for ssh."
        ),
    )
    # Lines of known_hosts: what the server showed when it was asked first, and has to show since.
    host_key = models.TextField(
        _("host key"),
        blank=True,
        max_length=8000,
        help_text=_(
            "Of an ssh server, as in known_hosts. Empty: the key that it shows at the next fetch is kept and asked for from then on."
        ),
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.NEVER, editable=False
    )
    # What the reading does at this moment, or how it ended: a sentence.
    message = models.CharField(_("result"), max_length=500, blank=True, editable=False)
    percent = models.PositiveSmallIntegerField(null=True, editable=False)
    commit = models.CharField(_("commit"), max_length=64, blank=True, editable=False)
    fetched_at = models.DateTimeField(_("last fetched"), null=True, editable=False)
    # Since when it waits or is read; a worker that died holds nobody up for longer than the time limit.
    asked_at = models.DateTimeField(null=True, editable=False)
    asked_by = models.ForeignKey(
        "accounts.User",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta:
        verbose_name = _("git repository")
        verbose_name_plural = _("git repositories")
        ordering = ["name"]
        permissions = [("fetch_gitsource", "Can fetch git repository")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:gitsource_detail", args=[self.pk])

    @property
    def badge(self) -> dict[str, str]:
        """State and word beside its name."""
        return {"state": self.STATES[self.state], "label": self.get_state_display()}

    @property
    def is_open(self) -> bool:
        """Whether it waits to be read, or is read now."""
        return self.state in self.OPEN
