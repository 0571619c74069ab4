"""The pages and REST endpoints of dashboards: one declaration."""

import django_tables2 as tables
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import VERBS, Action, ListLink, Resource
from adminset.crud.tables import ResourceTable
from monitor.dashboard_forms import DashboardForm
from monitor.dashboard_models import Dashboard
from monitor.dashboards import save_dashboard


class DashboardTable(ResourceTable):
    """Dashboards."""

    name = tables.Column(linkify=True)
    owner = tables.Column(verbose_name=_("owner"))

    class Meta(ResourceTable.Meta):
        model = Dashboard
        fields = ("name", "description", "owner", "is_shared", "updated_at")
        sequence = ("select", *fields, "actions")
        default_columns = fields


DASHBOARDS = Resource(
    model=Dashboard,
    table=DashboardTable,
    form=DashboardForm,
    path="dashboards",
    icon="table-columns",
    search=("name", "description"),
    actions=(
        Action(
            _("Show the panels"),
            "monitor:dashboard_board",
            "table-columns",
            "monitor.view_dashboard",
        ),
    ),
    list_links=(
        ListLink(
            _("Bring a dashboard"),
            "file-import",
            "monitor.add_dashboard",
            lambda query: reverse("monitor:dashboard_take"),
        ),
    ),
    detail_fields=("name", "description", "owner", "is_shared"),
    # A file of JSON brings a dashboard with its panels (monitor/dashboard_views.py).
    verbs=VERBS - {"import"},
    list_queryset=lambda rows: rows.select_related("owner").defer("panels"),
    save=save_dashboard,
)
