"""Users, roles, grants with a scope, and the tokens that speak for users."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts import access
from adminset.models import Timestamped
from adminset.querysets import NOWHERE, Scope, ScopedQuerySet


class HashField(models.CharField):
    """A column that holds the hash of a secret: the audit trail keeps a mask of it."""

    secret = True


class UserManager(BaseUserManager.from_queryset(ScopedQuerySet)):  # type: ignore[misc]
    """Makes users; `visible_to` comes from the queryset."""

    def create_user(
        self, username: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Make a user with a hashed password (None: one that cannot sign in by password)."""
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, username: str, password: str | None = None, **fields: Any
    ) -> "User":
        """Make an administrator."""
        return self.create_user(username, password, is_superuser=True, **fields)


class User(AbstractBaseUser):
    """A person or a service account."""

    class Theme(models.TextChoices):
        """Colours of the pages."""

        AUTO = "auto", _("as the system")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    username = models.CharField(
        _("user name"),
        max_length=150,
        unique=True,
        validators=[
            RegexValidator(r"\A[\w.@+-]+\Z", _("Letters, digits and . @ + - _ only."))
        ],
    )
    password = HashField(_("password"), max_length=128)
    display_name = models.CharField(_("display name"), max_length=150, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_superuser = models.BooleanField(_("administrator"), default=False)
    theme = models.CharField(
        _("theme"), max_length=10, choices=Theme, default=Theme.AUTO
    )
    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = UserManager()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    audit_kind = "user"

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["username"]

    def __str__(self) -> str:
        return self.username

    def get_absolute_url(self) -> str:
        """Give the address of the user's page."""
        return reverse("accounts:user_detail", args=[self.pk])

    @property
    def audit_name(self) -> str:
        """Name that the audit trail keeps."""
        return self.username

    @cached_property
    def _permissions(self) -> Mapping[str, Scope]:
        return access.permissions_of(self)

    def scope_of(self, permission: str) -> Scope:
        """Say where this user has `permission` ("cmdb.view_host"): two queries a request, whatever is asked."""
        if not self.is_active:
            return NOWHERE
        if self.is_superuser:
            return Scope(everything=True)
        return self._permissions.get(permission, NOWHERE)

    def has_perm(self, permission: str, obj: models.Model | None = None) -> bool:
        """Say whether the user has the permission anywhere, or on this object."""
        if obj is None:
            return bool(self.scope_of(permission))
        action = permission.partition(".")[2].removesuffix(f"_{obj._meta.model_name}")
        visible = obj._meta.default_manager.visible_to(self, action)  # type: ignore[union-attr]
        return visible.filter(pk=obj.pk).exists()

    def has_perms(
        self, permissions: Iterable[str], obj: models.Model | None = None
    ) -> bool:
        """Say whether the user has all of these."""
        return all(self.has_perm(permission, obj) for permission in permissions)

    def has_module_perms(self, app_label: str) -> bool:
        """Say whether the user has any permission in a room."""
        return self.is_active and (
            self.is_superuser
            or any(name.startswith(f"{app_label}.") for name in self._permissions)
        )


class Role(Timestamped):
    """A set of permissions with a name."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=250, blank=True)
    permissions = models.ManyToManyField(
        "auth.Permission",
        verbose_name=_("permissions"),
        blank=True,
        related_name="roles",
    )
    # A shipped role keeps its key when it is renamed, and remembers what it was offered: what people took away stays away.
    shipped = models.CharField(max_length=40, blank=True, editable=False)
    offered = models.JSONField(default=list, blank=True, editable=False)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Give the address of the role's page."""
        return reverse("accounts:role_detail", args=[self.pk])

    @property
    def permission_names(self) -> list[str]:
        """Names of the permissions as code knows them ("cmdb.view_host")."""
        return sorted(
            f"{p.content_type.app_label}.{p.codename}" for p in self.permissions.all()
        )


class Grant(Timestamped):
    """A role given to a user: everywhere, or on the objects that its scopes name. Without either it gives nothing."""

    user = models.ForeignKey(
        "accounts.User",
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="grants",
    )
    role = models.ForeignKey(
        "accounts.Role",
        verbose_name=_("role"),
        on_delete=models.CASCADE,
        related_name="grants",
    )
    everything = models.BooleanField(_("everywhere"), default=False)

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ["user__username", "role__name", "id"]

    def __str__(self) -> str:
        return f"{self.user} / {self.role}"

    @property
    def scope_ids(self) -> dict[str, list[int]]:
        """Objects on which the grant holds: kind of scope -> ids."""
        found: dict[str, list[int]] = {}
        for scope in self.scopes.all():
            found.setdefault(scope.kind, []).append(scope.object_id)
        return {kind: sorted(ids) for kind, ids in sorted(found.items())}


class GrantScope(models.Model):
    """One object on which a grant holds: kind is the model's label ("cmdb.hostgroup"), so that rooms above can bring theirs."""

    grant = models.ForeignKey(
        "accounts.Grant", on_delete=models.CASCADE, related_name="scopes"
    )
    kind = models.CharField(_("kind"), max_length=80)
    object_id = models.BigIntegerField(_("object"))

    class Meta:
        verbose_name = _("grant scope")
        verbose_name_plural = _("grant scopes")
        constraints = [
            models.UniqueConstraint(
                fields=["grant", "kind", "object_id"], name="grant_scope_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.object_id}"


class ApiTokenQuerySet(ScopedQuerySet):
    """Tokens by state."""

    def usable(self) -> "ApiTokenQuerySet":
        """Narrow to tokens that are neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())


class ApiToken(models.Model):
    """A secret that speaks for a user: shown once, kept as a hash, known by its prefix."""

    user = models.ForeignKey(
        "accounts.User",
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="api_tokens",
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=16, unique=True, editable=False)
    secret_hash = HashField(max_length=64, editable=False)
    can_write = models.BooleanField(_("may change things"), default=False)
    expires_at = models.DateTimeField(_("expires"))
    last_used_at = models.DateTimeField(
        _("last used"), null=True, blank=True, editable=False
    )
    revoked_at = models.DateTimeField(
        _("revoked"), null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def state(self) -> str:
        """Say "usable", "expired" or "revoked"."""
        if self.revoked_at:
            return "revoked"
        return "usable" if self.expires_at > timezone.now() else "expired"
