"""The pages and REST endpoints of guard rules."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter, plain_table
from adminset.crud.resource import Resource
from adminset.menu_tabs import TERMINAL_TABS
from tasks.guard.forms import GuardRuleForm
from tasks.models import GuardRule

RULES = Resource(
    model=GuardRule,
    table=plain_table(
        GuardRule,
        "name",
        "action",
        "risk",
        "description",
        "critical",
        "enabled",
        description=tables.Column(attrs={"td": {"class": "wrap"}}),
        risk=tables.Column(verbose_name=_("risk")),
    ),
    form=GuardRuleForm,
    filterset=plain_filter(GuardRule, "action", "risk", "enabled", "critical"),
    path="guard-rules",
    icon="shield-halved",
    search=("name", "description", "patterns"),
    tabs=TERMINAL_TABS,
    bulk_fields=("enabled", "action", "risk", "critical"),
    wide_fields=("patterns",),
    verbs=frozenset({"add", "change", "delete"}),
)
