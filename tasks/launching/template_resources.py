"""The pages and REST endpoints of templates."""

from typing import Any

import django_filters
import django_tables2 as tables
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Action, Panel, Resource
from adminset.crud.tables import ResourceTable
from tasks.launching.template_forms import ASKABLE, TemplateForm
from tasks.launching.template_services import save_template
from tasks.launching.variables import shown
from tasks.models import Template
from tasks.selectors import resolve_hosts

NAMES = 40


class TemplateTable(ResourceTable):
    """Templates: what, by whom."""

    name = tables.Column(linkify=True)
    what = tables.Column(verbose_name=_("what"), orderable=False)
    updated_at = tables.TemplateColumn("{% ago value %}", verbose_name=_("changed"))

    class Meta(ResourceTable.Meta):
        model = Template
        fields = ("name", "description", "kind", "what", "owner", "updated_at")


class TemplateFilter(django_filters.FilterSet):
    """Templates by kind."""

    kind = django_filters.MultipleChoiceFilter(
        label=_("kind"), choices=Template.Kind.choices
    )

    class Meta:
        model = Template
        fields = ("kind",)


def _where(request: HttpRequest, template: Template) -> dict[str, Any]:
    """Say on which hosts it would run now, for the reader, and what may be changed."""
    hosts = resolve_hosts(
        request.user,
        template.hosts.values_list("pk", flat=True),
        template.groups.values_list("pk", flat=True),
        template.host_filter,
    )
    return {
        "names": [host.hostname for host in hosts[:NAMES]],
        "count": len(hosts),
        "more": len(hosts) > NAMES,
        "asked": [ASKABLE[name] for name in template.ask if name in ASKABLE],
        "variables": [(n, shown(value)) for n, value in template.variables.items()],
        "answers": [(n, shown(value)) for n, value in template.answers.items()],
        "options": [(n, shown(value)) for n, value in template.options.items()],
    }


TEMPLATES = Resource(
    model=Template,
    table=TemplateTable,
    form=TemplateForm,
    filterset=TemplateFilter,
    path="templates",
    icon="clone",
    search=("name", "description", "command", "module"),
    tabs=("tasks:run_list", "tasks:template_list"),
    detail_fields=(
        "description",
        "kind",
        "what",
        "owner",
        "hosts",
        "groups",
        "host_filter",
        "forks",
        "batches",
        "pause_after",
        "stop_percent",
        "together",
        "repeatable",
        "timeout_seconds",
        "sealed",
    ),
    bulk_fields=("description",),
    panels=(Panel("where", _("At launch"), "tasks/_template_where.html", _where),),
    actions=(
        Action(_("Launch"), "tasks:template_launch", "play", "tasks.use_template"),
    ),
    api_fields=tuple(
        name for name in TemplateForm.base_fields if hasattr(Template, name)
    ),
    list_queryset=lambda rows: rows.select_related(
        "owner", "script", "playbook", "role", "task_module"
    ),
    save=save_template,
    verbs=frozenset({"add", "change", "delete"}),
)
