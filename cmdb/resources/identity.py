"""The queue of identity conflicts: its list, its page, its REST endpoints; decisions are pages of their own."""

from typing import Any

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_form
from adminset.crud.resource import Panel, Resource
from adminset.crud.tables import ResourceTable
from cmdb.models import Host, IdentityConflict
from cmdb.tables import AgoColumn, badge

FIELDS = (
    "kind",
    "agent",
    "address",
    "seen_at",
    "seen_count",
    "verdict",
    "chosen",
    "decided_at",
    "decided_by",
)
SHOWN = ("kind", "agent", "address", "seen_at", "seen_count")


class ConflictTable(ResourceTable):
    """Conflicts, the newest first."""

    machine = tables.Column(
        verbose_name=_("machine"),
        linkify=lambda record: record.get_absolute_url(),
        orderable=False,
        empty_values=(),
    )
    state = tables.Column(verbose_name=_("state"), orderable=False, empty_values=())
    seen_at = AgoColumn()

    class Meta(ResourceTable.Meta):
        model = IdentityConflict
        fields = ("machine", *SHOWN, "state", "decided_by")
        sequence = ("select", *fields, "actions")
        default_columns = ("machine", "kind", "seen_at", "seen_count", "state")

    def render_machine(self, record: IdentityConflict) -> str:
        """Say the name that the machine gives itself."""
        return str(record.claims.get("hostname") or _("a machine"))[:100]

    def value_machine(self, record: IdentityConflict) -> str:
        """Say it in an export."""
        return str(record.claims.get("hostname") or "")[:100]

    def render_state(self, record: IdentityConflict) -> SafeString:
        """Draw whether it is decided, and how."""
        said = record.badge
        return badge(said["state"], said["label"])

    def value_state(self, record: IdentityConflict) -> str:
        """Say it in an export."""
        return record.verdict or "open"


class ConflictFilter(django_filters.FilterSet):
    """Conflicts by kind, and by whether somebody has decided them."""

    state = django_filters.ChoiceFilter(
        label=_("State"),
        method="by_state",
        choices=[("open", _("to be decided")), ("decided", _("decided"))],
    )
    kind = django_filters.MultipleChoiceFilter(
        label=_("Kind"), choices=IdentityConflict.Kind.choices
    )

    class Meta:
        model = IdentityConflict
        fields = ("kind",)

    def by_state(self, rows: Any, _name: str, value: str) -> QuerySet:
        """Narrow to conflicts of one state."""
        waiting: QuerySet = rows.open()
        return waiting if value == "open" else rows.exclude(verdict="")


IDENTITY_CONFLICT = Resource(
    model=IdentityConflict,
    table=ConflictTable,
    form=plain_form(IdentityConflict, "kind"),
    filterset=ConflictFilter,
    path="identity-conflicts",
    icon="code-branch",
    search=("address", "decided_by"),
    tabs=(
        "cmdb:agent_list",
        "cmdb:enrolmenttoken_list",
        "cmdb:identityconflict_list",
    ),
    detail_fields=SHOWN,
    api_fields=FIELDS,
    list_queryset=lambda rows: rows.select_related("agent__host", "chosen"),
    verbs=frozenset(),
)
MOST_ON_A_PANEL = 200


def _evidence_of(request: HttpRequest, host: Host) -> dict[str, Any]:
    seen = IdentityConflict.objects.visible_to(request.user)
    return {
        "identifiers": host.identifiers.all()[:MOST_ON_A_PANEL],
        "conflicts": seen.filter(hosts=host)[:MOST_ON_A_PANEL],
    }


IDENTITY_PANEL = Panel(
    "identity", _("Evidence"), "cmdb/_identifiers.html", _evidence_of, "cmdb.view_agent"
)
