"""The library: scripts, playbooks, roles and files with all their versions."""

from typing import Any, ClassVar, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from tasks.checks import check_playbook
from tasks.git_checks import check_git_path
from tasks.work_models import Work


class LibraryQuerySet(ScopedQuerySet):
    """Items of the library: no kind of scope leads to them; who may use them somewhere may use them all."""

    def within(self, scope: Scope, action: str) -> Self:
        """Open all to readers and users; only who holds the permission everywhere writes or approves."""
        return self.all() if action in ("view", "use") else self.none()


class LibraryItem(Timestamped):
    """What scripts, playbooks, roles and files have in common: a name, where it comes from, and versions (`versions`)."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=250, blank=True)
    needs_approval = models.BooleanField(
        _("versions need approval"),
        default=False,
        help_text=_(
            "A new version runs nowhere until somebody else than its author approves it."
        ),
    )
    git_source = models.ForeignKey(
        "tasks.GitSource",
        verbose_name=_("git repository"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
    )
    git_path = models.CharField(
        _("path in the repository"),
        max_length=500,
        blank=True,
        validators=[check_git_path],
        help_text=_("Such as playbooks/site.yml; of a role its folder, empty for all."),
    )
    # What lists bring along: the newest version, and how it stands.
    version_number: int | None = None
    version_state: str | None = None

    objects = LibraryQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse(f"tasks:{self._meta.model_name}_detail", args=[self.pk])

    @property
    def kind_name(self) -> str:
        """What such items are called."""
        return str(self._meta.verbose_name)

    @property
    def badge(self) -> dict[str, str] | None:
        """State and words of the newest version, where a list brought it along."""
        if self.version_state is None:
            return None
        words = {
            "number": self.version_number,
            "state": Version.State(self.version_state).label,
        }
        return {
            "state": Version.STATES[self.version_state],
            "label": _("version %(number)s %(state)s") % words,
        }


class Script(LibraryItem):
    """A script in one language."""

    language = models.CharField(
        _("language"),
        max_length=20,
        choices=Work.Language,
        default=Work.Language.SHELL,
    )

    class Meta(LibraryItem.Meta):
        abstract = False
        verbose_name = _("script")
        verbose_name_plural = _("scripts")
        ordering = ["name"]
        permissions = [
            ("use_script", "Can run script"),
            ("approve_script", "Can approve version of script"),
        ]


class Playbook(LibraryItem):
    """An Ansible playbook, as text; `content` is that of the newest version, whether it may run or not."""

    content = models.TextField(
        _("playbook"),
        blank=True,
        validators=[check_playbook],
        help_text=_("YAML. Write `hosts: all`: the run decides which hosts those are."),
    )

    class Meta(LibraryItem.Meta):
        abstract = False
        verbose_name = _("playbook")
        verbose_name_plural = _("playbooks")
        ordering = ["name"]
        permissions = [
            ("use_playbook", "Can run playbook"),
            ("approve_playbook", "Can approve version of playbook"),
        ]


class Role(LibraryItem):
    """An Ansible role: a folder of files, called as its name in playbooks."""

    name = models.CharField(
        _("name"),
        max_length=100,
        unique=True,
        validators=[
            RegexValidator(
                r"\A[A-Za-z0-9_][A-Za-z0-9_-]*\Z",
                _("Letters, digits, _ and -: playbooks name it so."),
            )
        ],
    )

    class Meta(LibraryItem.Meta):
        abstract = False
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["name"]
        permissions = [
            ("use_role", "Can run role"),
            ("approve_role", "Can approve version of role"),
        ]


class StoredFile(LibraryItem):
    """A file that runs bring to hosts."""

    class Meta(LibraryItem.Meta):
        abstract = False
        verbose_name = _("file")
        verbose_name_plural = _("files")
        ordering = ["name"]
        permissions = [
            ("use_storedfile", "Can bring file to hosts"),
            ("approve_storedfile", "Can approve version of file"),
        ]


class VersionQuerySet(ScopedQuerySet):
    """Versions, seen by who may see their items."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to versions of kinds of items on which the user may do the action."""
        found = Q(pk__in=())
        for name in Version.ITEMS:
            model: Any = Version._meta.get_field(name).related_model
            items = model.objects.visible_to(user, action)
            found |= Q(**{f"{name}__in": items.order_by().values("pk")})
        return self.filter(found)


class Version(models.Model):
    """One state of one item (exactly one of the four keys is set). Its content never changes."""

    class State(models.TextChoices):
        """Whether it may run."""

        WAITING = "waiting", _("waits for approval")
        APPROVED = "approved", _("approved")
        RETIRED = "retired", _("retired")

    STATES: ClassVar[dict[str, str]] = {
        "waiting": "warning",
        "approved": "ok",
        "retired": "idle",
    }
    ITEMS = ("script", "playbook", "role", "file")

    script = models.ForeignKey(
        Script, models.CASCADE, "versions", null=True, verbose_name=_("script")
    )
    playbook = models.ForeignKey(
        Playbook, models.CASCADE, "versions", null=True, verbose_name=_("playbook")
    )
    role = models.ForeignKey(
        Role, models.CASCADE, "versions", null=True, verbose_name=_("role")
    )
    file = models.ForeignKey(
        StoredFile, models.CASCADE, "versions", null=True, verbose_name=_("file")
    )
    number = models.PositiveIntegerField(_("version"))
    # A script's or a playbook's text.
    text = models.TextField(_("text"), blank=True)
    # A role's files: {"tasks/main.yml": text}.
    files = models.JSONField(_("files"), default=dict, blank=True)
    # A file's bytes lie under settings.LIBRARY_DIR by this SHA-256; of the others it is that of their content.
    sha256 = models.CharField(
        "SHA-256", max_length=64, validators=[RegexValidator(r"\A[0-9a-f]{64}\Z")]
    )
    size = models.PositiveBigIntegerField(_("size"), default=0)
    commit = models.CharField(_("commit"), max_length=64, blank=True)
    # Who wrote the commit and who committed it, as git says: [{"name": "Ann", "email": "ann@example.org"}].
    commit_people = models.JSONField(
        _("people of the commit"), default=list, blank=True
    )
    note = models.CharField(_("note"), max_length=250, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.APPROVED
    )
    author = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    author_name = models.CharField(_("author"), max_length=150)
    judged_by_name = models.CharField(
        _("approved or retired by"), max_length=150, blank=True
    )
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["-created_at", "-id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=[name, "number"],
                condition=Q(**{f"{name}__isnull": False}),
                name=f"version_of_{name}",
            )
            for name in ("script", "playbook", "role", "file")
        ]

    def __str__(self) -> str:
        return f"{self.item} v{self.number}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:version_detail", args=[self.pk])

    @property
    def item(self) -> LibraryItem | None:
        """Whose version it is."""
        return self.script or self.playbook or self.role or self.file

    @property
    def badge(self) -> dict[str, str]:
        """State and word beside its name."""
        return {"state": self.STATES[self.state], "label": self.get_state_display()}

    item.fget.short_description = _("item")  # type: ignore[attr-defined]

    @property
    def commit_by(self) -> str:
        """The people of its commit: "Ann <ann@example.org>, Bob <bob@example.org>"."""
        return ", ".join(
            f"{one['name']} <{one['email']}>" for one in self.commit_people
        )

    commit_by.fget.short_description = _("people of the commit")  # type: ignore[attr-defined]

    def is_by(self, user: Any) -> bool:
        """Say whether a user wrote it here, fetched it, or is named by its commit (git proves no names: by the address only)."""
        mails = {one["email"].casefold() for one in self.commit_people}
        own = self.author_id is not None and self.author_id == user.pk
        return own or (bool(user.email) and user.email.casefold() in mails)
