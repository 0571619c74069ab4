"""How the lists of users, grants, tokens and of the audit trail can be narrowed."""

from functools import reduce
from operator import or_
from typing import Any

import django_filters
from django import forms
from django.apps import apps
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts import selectors
from accounts.models import ApiToken, Grant, Role, User
from adminset.models import AuditEntry


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
        fields = ["is_active", "is_superuser", "role"]


class GrantFilter(django_filters.FilterSet):
    """Grants by user, role and reach."""

    user = django_filters.ModelChoiceFilter(
        queryset=visible_users, label=capfirst(_("user"))
    )
    role = django_filters.ModelChoiceFilter(
        queryset=visible_roles, label=capfirst(_("role"))
    )

    class Meta:
        model = Grant
        fields = ["user", "role", "everything"]


TOKEN_STATES = [
    ("usable", _("usable")),
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
        """Narrow to usable, expired or revoked tokens."""
        del name
        if value == "revoked":
            return rows.filter(revoked_at__isnull=False)
        now = timezone.now()
        end = {"expires_at__gt": now} if value == "usable" else {"expires_at__lte": now}
        return rows.filter(revoked_at=None, **end)


def object_types() -> list[tuple[str, Any]]:
    """List the kinds of object of our rooms, by what people call them."""
    configs = (apps.get_app_config(label) for label in selectors.rooms())
    models = (model for config in configs for model in config.get_models())
    return [(m._meta.label_lower, capfirst(m._meta.verbose_name)) for m in models]


class AuditFilter(django_filters.FilterSet):
    """Lines of the trail: who, what, on which object, when."""

    q = django_filters.CharFilter(method="anywhere")
    actor_name = django_filters.CharFilter(
        lookup_expr="icontains", label=capfirst(_("who"))
    )
    verb = django_filters.CharFilter(
        lookup_expr="startswith",
        label=capfirst(_("action")),
        help_text=_('Begins with, such as "host." or "session.refused".'),
    )
    target_type = django_filters.ChoiceFilter(
        choices=object_types(), label=capfirst(_("object type"))
    )
    target_name = django_filters.CharFilter(
        lookup_expr="icontains", label=capfirst(_("object"))
    )
    since = django_filters.DateFilter(
        field_name="at",
        lookup_expr="date__gte",
        label=capfirst(_("from (day)")),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    until = django_filters.DateFilter(
        field_name="at",
        lookup_expr="date__lte",
        label=capfirst(_("until (day)")),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    request_id = django_filters.CharFilter(label=capfirst(_("request")))

    class Meta:
        model = AuditEntry
        fields = [
            "actor_name",
            "verb",
            "target_type",
            "target_name",
            "since",
            "until",
            "request_id",
        ]

    def anywhere(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Look for a word in who, what and which object."""
        del name
        fields = ("actor_name", "verb", "target_name")
        return rows.filter(
            reduce(or_, (Q(**{f"{f}__icontains": value}) for f in fields))
        )
