"""How the lists of sessions and sign-ins can be narrowed."""

import django_filters
from django.db.models import Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.filters import visible_users
from accounts.models import PortalSession
from adminset.models import AuditEntry

RESULTS = [
    ("session.start", _("signed in")),
    ("session.refused", _("refused")),
    ("session.throttled", _("too many attempts")),
    ("session.end", _("signed out")),
    ("session.end_", _("sessions ended")),
]


class SessionFilter(django_filters.FilterSet):
    """Sessions by whose they are and from where."""

    user = django_filters.ModelChoiceFilter(
        queryset=visible_users, label=capfirst(_("user"))
    )
    address = django_filters.CharFilter(
        lookup_expr="startswith", label=capfirst(_("address"))
    )

    class Meta:
        model = PortalSession
        fields = ["user", "address"]


class SignInFilter(django_filters.FilterSet):
    """Sign-ins by user, result and address."""

    q = django_filters.CharFilter(method="anywhere")
    user = django_filters.CharFilter(method="by_user", label=capfirst(_("user")))
    verb = django_filters.ChoiceFilter(
        choices=RESULTS, method="by_result", label=capfirst(_("result"))
    )
    address = django_filters.CharFilter(
        lookup_expr="startswith", label=capfirst(_("address"))
    )

    class Meta:
        model = AuditEntry
        fields = ["user", "verb", "address"]

    def narrow(self, rows: QuerySet) -> QuerySet:
        """Narrow some lines by all that is set: no index serves a part of a name."""
        self.form.is_valid()  # fills in what is right, whatever else is wrong
        return self.filter_queryset(rows)

    def by_user(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Look for a part of the user's name."""
        del name
        return rows.filter(
            Q(actor_name__icontains=value) | Q(target_name__icontains=value)
        )

    def by_result(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Narrow to one result; the ways in which others end sessions count as one."""
        del name
        if value.endswith("_"):
            return rows.filter(verb__startswith=value)
        return rows.filter(verb=value)

    def anywhere(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Look for a word in user and address."""
        return self.by_user(rows, name, value) | rows.filter(address__icontains=value)
