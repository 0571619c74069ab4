"""Rules of the guard: which commands it has a word on, for whom and where."""

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from tasks.terminal_models import TerminalCommand


class GuardRule(Timestamped):
    """What the guard says to a command: a help against slips, not a sandbox."""

    class Action(models.TextChoices):
        """What happens when it matches; the strictest of several counts."""

        NOTIFY = "notify", _("let pass and tell the owners")
        WARN = "warn", _("let pass with a warning")
        CONFIRM = "confirm", _("ask first")
        REFUSE = "refuse", _("refuse")

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=250, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    # One a line: words of a command (`rm -r /`), `*` for any word, or `/regular expression/` on one whole command.
    patterns = models.TextField(_("commands"))
    action = models.CharField(
        _("what happens"), max_length=10, choices=Action, default=Action.CONFIRM
    )
    risk = models.PositiveSmallIntegerField(
        _("risk"), choices=TerminalCommand.Risk, default=TerminalCommand.Risk.HIGH
    )
    message = models.CharField(_("what the user reads"), max_length=250, blank=True)
    critical = models.BooleanField(_("only on critical hosts"), default=False)
    roles = models.ManyToManyField(
        "accounts.Role",
        verbose_name=_("for roles"),
        blank=True,
        related_name="guard_rules",
        help_text=_("None chosen: everybody."),
    )
    host_groups = models.ManyToManyField(
        "cmdb.HostGroup",
        verbose_name=_("on host groups"),
        blank=True,
        related_name="guard_rules",
        help_text=_("None chosen: all hosts."),
    )
    credentials = models.ManyToManyField(
        "cmdb.Credential",
        verbose_name=_("with credentials"),
        blank=True,
        related_name="guard_rules",
        help_text=_("None chosen: all credentials."),
    )

    class Meta:
        verbose_name = _("guard rule")
        verbose_name_plural = _("guard rules")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The rule's page."""
        return reverse("tasks:guardrule_detail", args=[self.pk])
