"""How the list of terminal sessions is narrowed: live or past, who, where, with what, from where, when, how risky."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tasks.models import TerminalCommand, TerminalSession
from tasks.terminal_models import TerminalSessionQuerySet
from tasks.terminal_pages import sessions_selectors as selectors

LIVE, OVER = "live", "over"
MINE, OTHERS = "mine", "others"
RISKS = [
    (TerminalCommand.Risk.LOW, _("low or high")),
    (TerminalCommand.Risk.HIGH, _("high")),
]


class TerminalSessionFilter(django_filters.FilterSet):
    """Sessions by what people ask for first."""

    open = django_filters.ChoiceFilter(
        label=_("live"),
        choices=[(LIVE, _("live")), (OVER, _("over"))],
        method="by_open",
    )
    state = django_filters.MultipleChoiceFilter(
        label=_("state"), choices=TerminalSession.State.choices
    )
    whose = django_filters.ChoiceFilter(
        label=_("whose"),
        choices=[(MINE, _("mine")), (OTHERS, _("others'"))],
        method="by_whose",
    )
    username = django_filters.CharFilter(label=_("user"), lookup_expr="icontains")
    host_name = django_filters.CharFilter(label=_("host"), lookup_expr="icontains")
    credential_name = django_filters.CharFilter(
        label=_("credential"), lookup_expr="icontains"
    )
    client_address = django_filters.CharFilter(
        label=pgettext_lazy("address", "from"), lookup_expr="startswith"
    )
    opened_at = django_filters.DateFromToRangeFilter(label=_("opened"))
    risk = django_filters.TypedChoiceFilter(
        label=_("risk"), choices=RISKS, coerce=int, method="by_risk"
    )
    recording = django_filters.MultipleChoiceFilter(
        label=_("recording"), choices=TerminalSession.Recording.choices
    )

    class Meta:
        model = TerminalSession
        fields = (
            "open",
            "state",
            "whose",
            "username",
            "host_name",
            "credential_name",
            "client_address",
            "opened_at",
            "risk",
            "recording",
        )

    def by_open(
        self, rows: TerminalSessionQuerySet, name: str, value: str
    ) -> TerminalSessionQuerySet:
        """Narrow to live ones, or to those that are over."""
        del name
        if value == LIVE:
            return rows.counted()
        return rows.exclude(state__in=TerminalSession.OPEN)

    def by_whose(self, rows: QuerySet, name: str, value: str) -> QuerySet:
        """Narrow to one's own, or to those of others."""
        del name
        mine: dict[str, Any] = {"user": self.request.user}
        return rows.filter(**mine) if value == MINE else rows.exclude(**mine)

    def by_risk(self, rows: QuerySet, name: str, value: int) -> QuerySet:
        """Narrow to those in which something risky was entered."""
        del name
        return selectors.with_risk(rows, value)
