"""What may run: a playbook as text, and the fields of any work."""

from typing import Any, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet, scope_of
from cmdb.models import Host
from tasks.checks import check_playbook

MODULE_NAME = r"\A[a-z0-9_]+(\.[a-z0-9_]+)*\Z"


def hosts_within(scope: Scope, action: str) -> models.QuerySet:
    """Give the ids of the hosts that a scope of runs or schedules reaches."""
    return Host.objects.all().within(scope, action).order_by().values("pk")


Rows = TypeVar("Rows", bound=ScopedQuerySet)


def visible_or_own(rows: Rows, user: Any, permission: str, **owner: Any) -> Rows:
    """Narrow to rows where the permission holds, and the user's own.

    A token that is limited to some objects does not reach others because they are its user's.
    """
    scope = scope_of(user, permission)
    if scope.everything or not scope:
        return rows.all() if scope else rows.none()
    reached = rows.model._default_manager.all().within(scope, _action(permission))
    own = Q(pk__in=()) if scope.limit else Q(**owner)
    return rows.filter(own | Q(pk__in=reached.order_by().values("pk")))


def _action(permission: str) -> str:
    return permission.partition(".")[2].partition("_")[0]


class Playbook(Timestamped):
    """An Ansible playbook, as text."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=250, blank=True)
    content = models.TextField(
        _("playbook"),
        validators=[check_playbook],
        help_text=_("YAML. Write `hosts: all`: the run decides which hosts those are."),
    )

    class Meta:
        verbose_name = _("playbook")
        verbose_name_plural = _("playbooks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:playbook_detail", args=[self.pk])


class Work(models.Model):
    """What to run: shared by a run and by the schedule that makes runs."""

    class Kind(models.TextChoices):
        """Kinds of work."""

        COMMAND = "command", _("command")
        MODULE = "module", _("Ansible module")
        PLAYBOOK = "playbook", _("playbook")

    kind = models.CharField(
        _("kind"), max_length=20, choices=Kind, default=Kind.COMMAND
    )
    command = models.TextField(
        _("command"),
        blank=True,
        max_length=65536,
        help_text=_("Runs in /bin/sh on each host."),
    )
    module = models.CharField(
        _("module"),
        max_length=150,
        blank=True,
        validators=[
            RegexValidator(
                MODULE_NAME, _("A module's name: ping, or ansible.builtin.service.")
            )
        ],
        help_text=_("Such as ansible.builtin.ping, service or copy."),
    )
    arguments = models.TextField(
        _("arguments"),
        blank=True,
        max_length=65536,
        help_text=_("key=value pairs, as after `ansible -a`."),
    )
    timeout_seconds = models.PositiveIntegerField(
        _("time-out (s)"),
        default=3600,
        validators=[MinValueValidator(1), MaxValueValidator(86400)],
        help_text=_(
            "A command may take so long on each host, a module or playbook in all."
        ),
    )
    forks = models.PositiveIntegerField(
        _("hosts at once"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
    )

    class Meta:
        abstract = True

    @property
    def what(self) -> str:
        """The work in one line: the command, the module with its arguments, or the playbook's name."""
        texts = {
            self.Kind.COMMAND: self.command,
            self.Kind.MODULE: f"{self.module} {self.arguments}",
            self.Kind.PLAYBOOK: str(getattr(self, "playbook", None) or ""),
        }
        return " ".join(texts[self.Kind(self.kind)].split())[:200]
