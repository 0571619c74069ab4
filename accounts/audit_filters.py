"""How the audit trail can be narrowed: by what an index serves, and by words that are looked for line by line."""

from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.db.models import Q, QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import audit_selectors
from accounts.filters import object_types, visible_users
from adminset.models import AuditEntry
from adminset.words import verb_words

MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
DAY_LENGTH = 10


def verb_choices() -> list[tuple[str, str]]:
    """List the actions of the trail, each group before its members."""
    verbs = audit_selectors.known_verbs()
    groups = {f"{verb.partition('.')[0]}." for verb in verbs if "." in verb}
    told = {group: gettext("%(group)s* (all)") % {"group": group} for group in groups}
    told |= {verb: f"{verb} ({verb_words(verb)})" for verb in verbs}
    return [("", "---------"), *sorted(told.items())]


class VerbField(forms.ChoiceField):
    """A choice of actions; one that nobody has done yet is as good as the others."""

    def valid_value(self, value: Any) -> bool:
        """Take any: a saved address may name what the list has no more."""
        del value
        return True


class VerbFilter(django_filters.Filter):
    """One action, or a group of them."""

    field_class = VerbField

    def filter(self, rows: QuerySet, value: str) -> QuerySet:
        """Leave it to the page, which asks for each action apart (see AuditFilter.verbs)."""
        return rows


class AuditFilter(django_filters.FilterSet):
    """Lines of the trail: who, what, on which object, from where, when.

    `qs` has what indexes serve; `verbs` and `text` are for audit_selectors.TrailPage.
    """

    q = django_filters.CharFilter(method="later")
    # Set by links from users and lines: a list to choose from would hold everybody.
    actor = django_filters.ModelChoiceFilter(
        queryset=visible_users, label=capfirst(_("user")), widget=forms.HiddenInput
    )
    actor_name = django_filters.CharFilter(
        label=capfirst(_("who")),
        help_text=_("The whole name: agents, schedules, users that are gone."),
    )
    verb = VerbFilter(choices=verb_choices, label=capfirst(_("action")))
    target_type = django_filters.ChoiceFilter(
        choices=object_types(), label=capfirst(_("object type"))
    )
    target_id = django_filters.CharFilter(label=capfirst(_("object id")))
    target_name = django_filters.CharFilter(
        method="later", label=capfirst(_("object's name contains"))
    )
    address = django_filters.CharFilter(label=capfirst(_("address")))
    request_id = django_filters.CharFilter(label=capfirst(_("request")))
    since = django_filters.DateTimeFilter(
        field_name="at", lookup_expr="gte", label=capfirst(_("from")), widget=MOMENT
    )
    until = django_filters.DateTimeFilter(
        method="up_to", label=capfirst(_("until")), widget=MOMENT
    )

    class Meta:
        model = AuditEntry
        fields = [
            "actor",
            "actor_name",
            "verb",
            "target_type",
            "target_id",
            "target_name",
            "address",
            "request_id",
            "since",
            "until",
        ]

    def later(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Leave words to the page, which looks through a bounded number of lines."""
        del name, value
        return rows

    def up_to(self, rows: QuerySet, name: str, value: Any) -> QuerySet:
        """Narrow to a moment, its whole minute included; where a day is named, the whole day."""
        names_a_day = len(self.data.get(name, "").strip()) <= DAY_LENGTH
        step = timedelta(days=1) if names_a_day else timedelta(minutes=1)
        return rows.filter(at__lt=value + step)

    @property
    def verbs(self) -> list[str]:
        """Actions that are asked for; empty: all."""
        return audit_selectors.verbs_of(self._said("verb"))

    @property
    def text(self) -> audit_selectors.Narrow | None:
        """What narrows to the words that are looked for; None without words."""
        word, name = self._said("q"), self._said("target_name")
        if not word and not name:
            return None

        def narrow(rows: QuerySet) -> QuerySet:
            if word:
                fields = ("actor_name", "verb", "target_name")
                found = Q()
                for each in fields:
                    found |= Q(**{f"{each}__icontains": word})
                rows = rows.filter(found)
            return rows.filter(target_name__icontains=name) if name else rows

        return narrow

    def _said(self, name: str) -> str:
        if not self.is_bound:
            return ""
        self.form.is_valid()  # fills in what is right, whatever else is wrong
        return str(self.form.cleaned_data.get(name) or "")
