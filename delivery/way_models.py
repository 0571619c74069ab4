"""The way of a release to its hosts as data: stages, rules, hooks, health, policy; shared by pipelines and their templates."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from adminset.errors import DomainError
from delivery.canary_models import Canary, seconds
from delivery.stages import check_paths, check_stages, default_stages
from tasks.services import batches as batch_words

COMMAND_CHARACTERS = 8192


def check_batches(value: str) -> None:
    """Refuse a batch expression that cannot be understood."""
    try:
        batch_words.check(value)
    except DomainError as error:
        raise ValidationError(f"{error.message} {error.hint}") from error


def _command(label: Any, words: Any) -> models.TextField:
    return models.TextField(
        label, blank=True, max_length=COMMAND_CHARACTERS, help_text=words
    )


class Way(Canary):
    """How something gets to hosts. All that is text for a shell runs on the hosts (or in the build's clean directory)."""

    class Health(models.TextChoices):
        """What says that a host is well after the switch."""

        NONE = "none", _("nothing is asked")
        COMMAND = "command", _("a command on the host")
        HTTP = "http", _("an HTTP address, asked on the host")
        TCP = "tcp", _("a TCP port, asked on the host")

    class Policy(models.TextChoices):
        """In which order hosts get the release."""

        DIRECT = "direct", _("all at once")
        BATCHES = "batches", _("in batches")
        CANARY = "canary", _("canary: some hosts first, watched")
        BLUE_GREEN = "blue_green", _("blue-green: two slots and a switch")
        ONE_BY_ONE = "one_by_one", _("one host at a time, drained and returned")

    class Pause(models.TextChoices):
        """When a person is asked between two batches."""

        NEVER = "never", _("never")
        FAILURE = "failure", _("when a host of the batch did not end well")
        ALWAYS = "always", _("after each batch")

    # [{"kind": "build", "title": "Build", "command": "make", "timeout": 600}, ...]; see delivery/stages.py
    stages = models.JSONField(
        _("stages"), default=default_stages, validators=[check_stages]
    )
    include = models.TextField(
        _("files to include"),
        blank=True,
        max_length=20_000,
        help_text=_("A pattern a line; empty: all files."),
    )
    exclude = models.TextField(
        _("files to leave out"),
        blank=True,
        max_length=20_000,
        default=".git\n.svn\n",
        help_text=_("A pattern a line."),
    )
    shared_paths = models.TextField(
        _("shared files and folders"),
        blank=True,
        max_length=10_000,
        validators=[check_paths],
        help_text=_(
            "A path a line, linked from each release into `shared`; a folder ends in a slash."
        ),
    )
    cache_paths = models.TextField(
        _("folders kept between builds"),
        blank=True,
        max_length=10_000,
        validators=[check_paths],
    )
    keep = models.PositiveSmallIntegerField(
        _("releases kept on a host"),
        default=5,
        validators=[MinValueValidator(2), MaxValueValidator(100)],
    )
    before_switch = _command(
        _("before the switch"), _("Runs in the new release; a bad exit stops here.")
    )
    restart = _command(_("restart"), _("Runs after the switch."))
    after_switch = _command(_("after the switch"), _("Runs when the host is well."))
    drain = _command(
        _("take out of the balancer"), _("Runs before the switch of a host.")
    )
    back = _command(_("take into the balancer again"), _("Runs when the host is well."))
    switch_command = _command(
        _("switch of blue-green"),
        _("Runs when the other slot is well: it tells the balancer or the web server."),
    )
    health_kind = models.CharField(
        _("health"), max_length=10, choices=Health, default=Health.NONE
    )
    health_target = models.CharField(
        _("what is asked"),
        max_length=2000,
        blank=True,
        help_text=_("A command, http://127.0.0.1:8000/health, or 127.0.0.1:8000."),
    )
    health_content = models.CharField(
        _("text that the answer holds"), max_length=500, blank=True
    )
    health_wait_seconds = seconds(_("wait before the first try (s)"), 0, 3600)
    health_timeout_seconds = seconds(_("time-out of a try (s)"), 10, 600, 1)
    health_attempts = models.PositiveSmallIntegerField(
        _("tries"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    health_pause_seconds = seconds(_("seconds between tries"), 3, 600)
    policy = models.CharField(
        _("policy"), max_length=12, choices=Policy, default=Policy.DIRECT
    )
    batches = models.CharField(
        _("batches"),
        max_length=100,
        blank=True,
        validators=[check_batches],
        help_text=_(
            "`1 10% 50%` is one host, then a tenth, then half, again and again."
        ),
    )
    pause_after = models.CharField(
        _("ask a person between batches"),
        max_length=10,
        choices=Pause,
        default=Pause.NEVER,
    )
    auto_rollback = models.BooleanField(
        _("take back what was switched when a batch ends badly"), default=True
    )
    forks = models.PositiveSmallIntegerField(
        _("hosts at once"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
    )
    timeout_seconds = seconds(_("time-out of a stage on a host (s)"), 1800, 86_400, 1)
    build_timeout_seconds = seconds(_("time-out of a build (s)"), 3600, 86_400, 1)

    # What a deploy freezes of it.
    FIELDS: ClassVar[tuple[str, ...]] = (
        "stages",
        "include",
        "exclude",
        "shared_paths",
        "cache_paths",
        "keep",
        "before_switch",
        "restart",
        "after_switch",
        "drain",
        "back",
        "switch_command",
        "health_kind",
        "health_target",
        "health_content",
        "health_wait_seconds",
        "health_timeout_seconds",
        "health_attempts",
        "health_pause_seconds",
        "policy",
        "batches",
        "pause_after",
        "canary_hosts",
        "canary_group_id",
        "canary_watch_seconds",
        "gate_metric",
        "gate_measure",
        "gate_divisor",
        "gate_comparison",
        "gate_limit",
        "auto_rollback",
        "forks",
        "timeout_seconds",
        "build_timeout_seconds",
    )

    # Those that came later, with what they say by themselves: what was frozen or vouched for before them has none of them.
    LATER: ClassVar[dict[str, Any]] = {
        "canary_group_id": None,
        "gate_measure": "value",
        "gate_divisor": "",
    }

    class Meta:
        abstract = True

    @classmethod
    def said(cls, way: Mapping[str, Any]) -> dict[str, Any]:
        """Give a frozen way without those later fields that say nothing: two ways are the same where these are."""
        unsaid = {k for k, usual in cls.LATER.items() if way.get(k, usual) == usual}
        return {name: value for name, value in way.items() if name not in unsaid}

    def frozen(self) -> dict[str, Any]:
        """Give all of it as plain values: what a deploy keeps, so that no later change touches it."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def clean(self) -> None:
        """Refuse a health check without a target."""
        super().clean()
        if self.health_kind != self.Health.NONE and not self.health_target.strip():
            raise ValidationError({"health_target": _("Say what is to be asked.")})
