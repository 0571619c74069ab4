"""Users, roles, grants with a scope, and the tokens that speak for users."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts import access
from accounts.directory_models import GroupMapping
from accounts.session_models import PortalSession, RecoveryCode, SecondFactor
from accounts.token_models import ApiToken, HashField
from adminset.models import Timestamped
from adminset.querysets import NOWHERE, Scope, ScopedQuerySet, may

__all__ = [
    "ApiToken",
    "Grant",
    "GrantScope",
    "GroupMapping",
    "HashField",
    "PortalSession",
    "RecoveryCode",
    "Role",
    "SecondFactor",
    "User",
]


class UserQuerySet(ScopedQuerySet):
    """Users by whether they may sign in."""

    def active(self) -> Self:
        """Narrow to users who may sign in now."""
        in_time = models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now())
        return self.filter(in_time, is_active=True)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
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
    """A person or a service account.

    `token` is the API token that speaks for the user in this request, None in the browser: what it may not, the user may not here.
    """

    class Kind(models.TextChoices):
        """Who signs in, and who only speaks by tokens."""

        PERSON = "person", _("person")
        SERVICE = "service", _("service account")

    class Source(models.TextChoices):
        """Who vouches for a user."""

        LOCAL = "local", _("this portal")
        LDAP = "ldap", "LDAP"
        OIDC = "oidc", "OpenID Connect"

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
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.PERSON)
    source = models.CharField(
        _("signs in by"),
        max_length=10,
        choices=Source,
        default=Source.LOCAL,
        editable=False,
    )
    # Who the user is at the source: the LDAP entry's name, the provider's subject. A user name alone proves nothing there.
    external_id = models.CharField(  # noqa: DJ001 - many local users have none, and none may be twice
        max_length=500, null=True, blank=True, editable=False
    )
    is_active = models.BooleanField(_("may sign in"), default=True)
    expires_at = models.DateTimeField(
        _("may sign in until"),
        null=True,
        blank=True,
        help_text=_("Empty: for good."),
    )
    must_change_password = models.BooleanField(
        _("must choose a new password"), default=False
    )
    is_superuser = models.BooleanField(_("administrator"), default=False)
    theme = models.CharField(
        _("theme"), max_length=10, choices=Theme, default=Theme.AUTO
    )
    language = models.CharField(_("language"), max_length=10, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = UserManager()
    token: ApiToken | None = None
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    audit_kind = "user"

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["username"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], name="user_once_at_source"
            )
        ]

    def __str__(self) -> str:
        return self.username

    def get_absolute_url(self) -> str:
        """Give the address of the user's page."""
        return reverse("accounts:user_detail", args=[self.pk])

    @property
    def audit_name(self) -> str:
        """Name that the audit trail keeps."""
        return self.username

    @property
    def may_sign_in(self) -> bool:
        """Say whether the user may come in now, or speak through tokens."""
        return self.is_active and (
            self.expires_at is None or self.expires_at > timezone.now()
        )

    @property
    def is_unlimited(self) -> bool:
        """Say whether nothing limits the user here: an administrator, whose token (if one speaks) may do everything too."""
        free = self.token is None or self.token.is_unlimited
        return self.is_superuser and self.may_sign_in and free

    @cached_property
    def _permissions(self) -> Mapping[str, Scope]:
        return access.permissions_of(self)

    def scope_of(self, permission: str) -> Scope:
        """Say where this user has `permission` ("cmdb.view_host"): two queries a request, whatever is asked."""
        if not self.may_sign_in:
            return NOWHERE
        if self.is_superuser:
            held = Scope(everything=True)
        else:
            held = self._permissions.get(permission, NOWHERE)
        return self.token.narrow(permission, held) if self.token else held

    def has_perm(self, permission: str, obj: models.Model | None = None) -> bool:
        """Say whether the user has the permission anywhere, or on this object."""
        if obj is None:
            return bool(self.scope_of(permission))
        action = permission.partition(".")[2].removesuffix(f"_{obj._meta.model_name}")
        return may(self, action, obj)

    def has_perms(
        self, permissions: Iterable[str], obj: models.Model | None = None
    ) -> bool:
        """Say whether the user has all of these."""
        return all(self.has_perm(permission, obj) for permission in permissions)

    def has_module_perms(self, app_label: str) -> bool:
        """Say whether the user has any permission in a room."""
        return self.may_sign_in and (
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
    requires_second_factor = models.BooleanField(
        _("asks for a second factor"),
        default=False,
        help_text=_("Who holds it must sign in with a code of an authenticator app."),
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


class GrantQuerySet(ScopedQuerySet):
    """Grants by whether they hold."""

    def holding(self, at: datetime | None = None) -> Self:
        """Narrow to grants within their time."""
        now = at or timezone.now()
        begun = models.Q(valid_from=None) | models.Q(valid_from__lte=now)
        return self.not_ended(now).filter(begun)

    def not_ended(self, at: datetime | None = None) -> Self:
        """Narrow to grants that hold, or will."""
        lasting = models.Q(valid_until__gt=at or timezone.now())
        return self.filter(models.Q(valid_until=None) | lasting)


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
    valid_from = models.DateTimeField(
        _("from"), null=True, blank=True, help_text=_("Empty: at once.")
    )
    valid_until = models.DateTimeField(
        _("until"), null=True, blank=True, help_text=_("Empty: for good.")
    )
    # Set when a group of a directory brought the grant: it goes with the membership.
    mapping = models.ForeignKey(
        "accounts.GroupMapping",
        verbose_name=_("group mapping"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.CASCADE,
        related_name="grants",
    )

    objects = GrantQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ["user__username", "role__name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(valid_from=None)
                | models.Q(valid_until=None)
                | models.Q(valid_until__gt=models.F("valid_from")),
                name="grant_ends_after_it_begins",
                violation_error_message=_("It must end after it begins."),
            )
        ]

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
