"""How the lists of users, grants, tokens and of the audit trail can be narrowed."""

from typing import Any, cast

import django_filters
from django.apps import apps
from django.db.models import QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts import selectors
from accounts.models import ApiToken, Grant, Role, User


def visible_roles(request: Any) -> QuerySet[Role]:
    """Give the roles that may be chosen in a filter."""
    return Role.objects.visible_to(request.user) if request else Role.objects.none()


def visible_users(request: Any) -> QuerySet[User]:
    """Give the users that may be chosen in a filter."""
    return User.objects.visible_to(request.user) if request else User.objects.none()


class UserFilter(django_filters.FilterSet):
    """Users by state and role."""

    role = django_filters.ModelChoiceFilter(
        field_name="grants__role",
        queryset=visible_roles,
        label=capfirst(_("role")),
        distinct=True,
    )

    class Meta:
        model = User
        fields = ["kind", "is_active", "is_superuser", "role"]


class GrantFilter(django_filters.FilterSet):
    """Grants by user, role and reach."""

    user = django_filters.ModelChoiceFilter(
        queryset=visible_users, label=capfirst(_("user"))
    )
    role = django_filters.ModelChoiceFilter(
        queryset=visible_roles, label=capfirst(_("role"))
    )
    time = django_filters.ChoiceFilter(
        choices=[
            ("now", _("holds now")),
            ("later", _("begins later")),
            ("over", _("has ended")),
        ],
        method="by_time",
        label=capfirst(_("time")),
    )

    class Meta:
        model = Grant
        fields = ["user", "role", "everything", "time"]

    def by_time(self, rows: Any, name: str, value: str) -> QuerySet:
        """Narrow to grants that hold, will, or did."""
        del name
        if value == "now":
            return cast("QuerySet", rows.holding())
        if value == "later":
            return rows.not_ended().exclude(pk__in=rows.holding().values("pk"))
        return rows.exclude(pk__in=rows.not_ended().values("pk"))


TOKEN_STATES = [
    ("usable", _("usable")),
    ("ending", _("expires soon")),
    ("idle", _("unused for long")),
    ("expired", _("expired")),
    ("revoked", _("revoked")),
]


class ApiTokenFilter(django_filters.FilterSet):
    """Tokens by owner and state."""

    user = django_filters.ModelChoiceFilter(
        queryset=visible_users, label=capfirst(_("user"))
    )
    state = django_filters.ChoiceFilter(
        choices=TOKEN_STATES, method="by_state", label=capfirst(_("state"))
    )

    class Meta:
        model = ApiToken
        fields = ["user", "can_write", "state"]

    def by_state(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Narrow to tokens in a state."""
        del name
        return cast("QuerySet", rows.in_state(value))  # type: ignore[attr-defined]


def object_types() -> list[tuple[str, Any]]:
    """List the kinds of object of our rooms, by what people call them."""
    configs = (apps.get_app_config(label) for label in selectors.rooms())
    models = (model for config in configs for model in config.get_models())
    return [(m._meta.label_lower, capfirst(m._meta.verbose_name)) for m in models]
