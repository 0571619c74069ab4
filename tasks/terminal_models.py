"""Terminals: who worked on which host by hand, what was typed, who looked on."""

from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from adminset.crypto import EncryptedTextField
from adminset.querysets import Scope, ScopedQuerySet, scope_of
from tasks.work_models import hosts_within, visible_or_own

# For so long after it was opened a session waits for its page: the time of its ticket, and of a page that draws itself first.
OPENING_SECONDS = 90


class TerminalSessionQuerySet(ScopedQuerySet):
    """Terminal sessions by who may see, watch, replay or end them."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to sessions on hosts within the scope, and the user's own.

        What one did oneself one may look at without any permission; a token only where it may look at sessions at all.
        """
        permission = f"tasks.{action}_terminalsession"
        if action == "view" and not scope_of(user, permission):
            here = user.is_authenticated and user.may_sign_in and user.token is None
            return self.filter(user=user) if here else self.none()
        return visible_or_own(self, user, permission, user=user)

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to sessions on hosts in the scope."""
        return self.filter(host__in=hosts_within(scope, action))

    def open(self) -> Self:
        """Narrow to sessions that have not ended."""
        return self.filter(state__in=TerminalSession.OPEN)

    def forsaken(self) -> Self:
        """Narrow to those for which no page came in time; one that a process holds may take longer to reach its host."""
        return self.filter(_forsaken())

    def counted(self) -> Self:
        """Narrow to the open ones that count: for the limit of their user, and for who looks what is open."""
        return self.open().exclude(_forsaken())


def _forsaken() -> models.Q:
    late = timezone.now() - timedelta(seconds=OPENING_SECONDS)
    waits = TerminalSession.State.OPENING
    return models.Q(state=waits, process="", opened_at__lt=late)


class TerminalSession(models.Model):
    """One shell on one host: from the ticket to the end, with what became of its recording."""

    class State(models.TextChoices):
        """How a session stands."""

        # A ticket was given, no page came yet.
        OPENING = "opening", _("opening")
        LIVE = "live", _("live")
        # The page or the network is gone; the shell is kept for a moment.
        AWAY = "away", _("page is away")
        ENDED = "ended", pgettext_lazy("terminal", "ended")
        # The host or a rule turned it away: there was no shell.
        REFUSED = "refused", _("refused")
        # The process that held it died.
        LOST = "lost", _("lost")

    class Recording(models.TextChoices):
        """What became of the recording."""

        NONE = "none", _("none")
        RUNNING = "running", _("being written")
        SEALED = "sealed", _("sealed")
        # The session went on without one, or with a part of it only.
        FAILED = "failed", _("failed")
        # Cleared away by the policy; its hash stays.
        CLEARED = "cleared", _("cleared away")

    OPEN = (State.OPENING, State.LIVE, State.AWAY)
    STATES: ClassVar[dict[str, str]] = {
        "opening": "busy",
        "live": "ok",
        "away": "warning",
        "ended": "idle",
        "refused": "danger",
        "lost": "danger",
    }

    key = models.CharField(max_length=43, unique=True)
    # Terminals that were opened in one page by who may type to several share it: the same may have been typed to them.
    together = models.CharField(max_length=43, blank=True, db_index=True)
    user = models.ForeignKey(
        "accounts.User",
        verbose_name=_("user"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="terminal_sessions",
    )
    # Names stay readable when the rows are gone.
    username = models.CharField(_("user name"), max_length=150)
    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="terminal_sessions",
    )
    host_name = models.CharField(_("host"), max_length=253)
    address = models.CharField(_("address of the host"), max_length=253, blank=True)
    credential = models.ForeignKey(
        "cmdb.Credential",
        verbose_name=_("credential"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="terminal_sessions",
    )
    credential_name = models.CharField(_("credential"), max_length=100, blank=True)
    login = models.CharField(_("login"), max_length=100, blank=True)
    become = models.BooleanField(_("as root"), default=False)
    client_address = models.GenericIPAddressField(
        pgettext_lazy("address", "from"), null=True
    )
    # Digest of the portal's session that opened it, or whose proof counted last: its owner comes back from there at any time.
    portal_session = models.CharField(max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.OPENING, db_index=True
    )
    end_reason = models.CharField(_("why it ended"), max_length=500, blank=True)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now, db_index=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    last_input_at = models.DateTimeField(_("last input"), null=True, blank=True)
    # Which process holds the shell ("web1:4711"), and until when it is believed to live.
    process = models.CharField(max_length=150, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    columns = models.PositiveSmallIntegerField(_("columns"), default=80)
    rows = models.PositiveSmallIntegerField(_("rows"), default=24)
    locked_by = models.CharField(_("locked by"), max_length=150, blank=True)
    bytes_in = models.BigIntegerField(_("typed"), default=0)
    bytes_out = models.BigIntegerField(_("printed"), default=0)
    command_count = models.PositiveIntegerField(_("commands"), default=0)
    recording = models.CharField(
        _("recording"), max_length=10, choices=Recording, default=Recording.NONE
    )
    recording_problem = models.CharField(max_length=500, blank=True)
    recording_sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    recording_bytes = models.BigIntegerField(_("size of the recording"), default=0)
    # Opens its recording, and nothing else; gone when the recording is cleared away.
    recording_key = EncryptedTextField()

    objects = TerminalSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("terminal session")
        verbose_name_plural = _("terminal sessions")
        ordering = ["-opened_at", "-pk"]
        default_permissions = ("view",)
        permissions = (
            ("watch_terminalsession", "Can watch a live terminal session"),
            ("replay_terminalsession", "Can replay a recorded terminal session"),
            ("export_terminalsession", "Can export the recording of a session"),
            ("control_terminalsession", "Can lock and end a terminal session"),
            ("together_terminalsession", "Can type to several terminals at once"),
        )

    def __str__(self) -> str:
        return f"{self.username}@{self.host_name} {self.opened_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        """The session's page."""
        return reverse("tasks:terminalsession_detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in self.OPEN

    @property
    def badge(self) -> dict[str, str]:
        """Colour and word of its state; one that nobody can type in says so."""
        if self.is_open and self.locked_by:
            return {"state": "warning", "label": str(_("locked"))}
        return {"state": self.STATES[self.state], "label": self.get_state_display()}

    @property
    def duration(self) -> timedelta:
        """How long it took, or takes so far."""
        return (self.ended_at or self._told_until) - self.opened_at

    @property
    def idle(self) -> timedelta | None:
        """How long nobody has typed, while it is open; output is no sign of anybody."""
        if not self.is_open:
            return None
        return self._told_until - (self.last_input_at or self.opened_at)

    @property
    def _told_until(self) -> datetime:
        """Until when something is known of it: now, or the end of the lease where it was lost."""
        if self.is_open or self.lease_until is None:
            return timezone.now()
        return self.lease_until


class TerminalCommand(models.Model):
    """A line that was entered at a prompt, as the screen showed it, and what the guard said to it."""

    class Verdict(models.TextChoices):
        """What became of it."""

        PASSED = "passed", _("passed")
        WARNED = "warned", _("warned")
        CONFIRMED = "confirmed", _("confirmed")
        DECLINED = "declined", _("not confirmed")
        REFUSED = "refused", _("refused")

    class Risk(models.IntegerChoices):
        """How much one may break with it."""

        NONE = 0, _("none")
        LOW = 1, _("low")
        HIGH = 2, _("high")

    session = models.ForeignKey(
        TerminalSession, on_delete=models.CASCADE, related_name="commands"
    )
    number = models.PositiveIntegerField()
    # Where in the recording, in milliseconds since its beginning.
    at_ms = models.BigIntegerField(default=0)
    entered_at = models.DateTimeField(_("entered"), default=timezone.now)
    text = models.TextField(_("command"))
    typed_by = models.CharField(_("typed by"), max_length=150, blank=True)
    risk = models.PositiveSmallIntegerField(
        _("risk"), choices=Risk, default=Risk.NONE, db_index=True
    )
    verdict = models.CharField(
        _("verdict"), max_length=10, choices=Verdict, default=Verdict.PASSED
    )
    rule_name = models.CharField(_("rule"), max_length=100, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["session", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "number"], name="command_once_in_session"
            )
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.number}"


class TerminalGuest(models.Model):
    """Somebody besides the user: who watched, or took part when invited."""

    session = models.ForeignKey(
        TerminalSession, on_delete=models.CASCADE, related_name="guests"
    )
    user = models.ForeignKey(
        "accounts.User",
        null=True,
        on_delete=models.SET_NULL,
        related_name="terminal_visits",
    )
    username = models.CharField(_("user name"), max_length=150)
    # Empty for who watches by permission.
    invited_by = models.CharField(_("invited by"), max_length=150, blank=True)
    may_write = models.BooleanField(_("may type"), default=False)
    invited_at = models.DateTimeField(null=True, blank=True)
    joined_at = models.DateTimeField(_("came"), null=True, blank=True)
    left_at = models.DateTimeField(_("left"), null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.username} at {self.session_id}"
