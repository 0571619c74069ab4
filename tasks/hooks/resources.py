"""The pages and REST endpoints of web-hooks in."""

from typing import Any

import django_tables2 as tables
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter, plain_table
from adminset.crud.resource import Action, Panel, Resource
from adminset.errors import DomainError
from tasks.hooks.forms import InHookForm
from tasks.hooks.rules import in_words
from tasks.hooks.saving import save_hook
from tasks.hooks.starting import fields_of, said
from tasks.models import InHook, Run, WorkflowRun

LATEST = 50
CHANGE = "tasks.change_inhook"
SHOWN = ("name", "kind", "header", "does", "template", "task_module", "workflow")
RULES = ("events", "match", "extract")
TARGETS = ("hosts", "groups", "host_filter")


def _deliveries(request: HttpRequest, hook: InHook) -> dict[str, Any]:
    """Give the newest messages; a run that the reader may not see is not led to."""
    rows = hook.deliveries.select_related("run", "workflow_run")
    found = list(rows.defer("run__playbook_text", "workflow_run__definition")[:LATEST])
    runs = Run.objects.visible_to(request.user)
    flows = WorkflowRun.objects.visible_to(request.user)
    keys = [each.run_id for each in found if each.run_id]
    flow_keys = [each.workflow_run_id for each in found if each.workflow_run_id]
    return {
        "deliveries": found,
        "runs": set(runs.filter(pk__in=keys).values_list("pk", flat=True)),
        "flows": set(flows.filter(pk__in=flow_keys).values_list("pk", flat=True)),
    }


def _address(request: HttpRequest, hook: InHook) -> dict[str, Any]:
    """Give the address, for those who may change the web-hook, and the fields that it can set."""
    may_change = InHook.objects.visible_to(request.user, "change")
    path = ""
    if may_change.filter(pk=hook.pk).exists():
        path = request.build_absolute_uri(reverse("tasks:hook_in", args=[hook.key]))
    try:
        known, problem = fields_of(hook), ""
    except DomainError as error:
        known, problem = [], said(error)
    said_rules = [in_words(rule) for rule in hook.match]
    told = {"known": known, "problem": problem, "rules": said_rules}
    return told | {"hook_url": path}


IN_HOOKS = Resource(
    model=InHook,
    table=plain_table(
        InHook,
        "name",
        "kind",
        "does",
        "active",
        "run_as",
        "last_at",
        last_at=tables.TemplateColumn(
            "{% ago value %}", verbose_name=_("last message")
        ),
    ),
    form=InHookForm,
    filterset=plain_filter(InHook, "kind", "does", "active"),
    path="hooks-in",
    icon="right-to-bracket",
    search=("name",),
    detail_fields=(*SHOWN, *TARGETS, "events", "active", "run_as", "last_at"),
    api_fields=(*SHOWN, *TARGETS, *RULES, "active", "run_as", "last_at"),
    panels=(
        Panel(
            "address", _("Address and values"), "tasks/hooks/_address.html", _address
        ),
        Panel("deliveries", _("Messages"), "tasks/hooks/_deliveries.html", _deliveries),
    ),
    actions=(Action(_("Try"), "tasks:inhook_try", "flask", CHANGE),),
    list_queryset=lambda rows: rows.select_related(
        "template", "task_module", "workflow", "run_as"
    ),
    save=save_hook,
    verbs=frozenset({"add", "change", "delete"}),
)
