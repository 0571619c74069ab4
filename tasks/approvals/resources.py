"""The pages and REST endpoints of approvals (to read) and of their rules."""

from adminset.crud.resource import Resource
from tasks.approvals.forms import ApprovalRuleForm
from tasks.approvals.tables import (
    ApprovalFilter,
    ApprovalRuleFilter,
    ApprovalRuleTable,
    ApprovalTable,
)
from tasks.models import Approval, ApprovalRule

TABS = ("tasks:approval_inbox", "tasks:approval_list", "tasks:approvalrule_list")

RULES = Resource(
    model=ApprovalRule,
    table=ApprovalRuleTable,
    form=ApprovalRuleForm,
    filterset=ApprovalRuleFilter,
    path="approval-rules",
    icon="user-check",
    search=("name", "description"),
    tabs=TABS,
    bulk_fields=("enabled",),
    list_queryset=lambda rows: rows.select_related("role"),
    verbs=frozenset({"add", "change", "delete"}),
)

APPROVALS = Resource(
    model=Approval,
    table=ApprovalTable,
    form=ApprovalRuleForm,
    filterset=ApprovalFilter,
    path="approvals",
    icon="user-check",
    search=("title", "requested_by_name", "rule_name"),
    tabs=TABS,
    detail_fields=("rule_name", "requested_by_name", "expires_at"),
    api_fields=(
        "kind",
        "object_id",
        "title",
        "rule_name",
        "needed",
        "status",
        "explanation",
        "requested_by_name",
        "created_at",
        "expires_at",
        "decided_at",
    ),
    list_queryset=lambda rows: rows.select_related("rule").defer("detail"),
    verbs=frozenset(),
)
