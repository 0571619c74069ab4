"""Clears away runs of workflows and approvals that nobody keeps any more."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from adminset import audit
from tasks.models import Approval, WorkflowRun
from tasks.workflows.engine import ENGINE

AT_ONCE = 2000


def clear_ended() -> int:
    """Delete what ended longer ago than runs are kept (RUN_KEEP_DAYS; 0: never); gives how many runs of workflows went."""
    if not settings.RUN_KEEP_DAYS:
        return 0
    oldest = timezone.now() - timedelta(days=settings.RUN_KEEP_DAYS)
    old = Approval.objects.filter(decided_at__lt=oldest)
    keys = list(old.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    Approval.objects.filter(pk__in=keys).delete()
    ended = Q(ended_at__lt=oldest) & ~Q(status=WorkflowRun.Status.RUNNING)
    runs = WorkflowRun.objects.filter(ended).order_by("pk")
    keys = list(runs.values_list("pk", flat=True)[:AT_ONCE])
    WorkflowRun.objects.filter(pk__in=keys).delete()
    if keys:
        changes = [audit.change_of("runs", len(keys), None)]
        audit.record(ENGINE, "workflow.clear", WorkflowRun, changes=changes)
    return len(keys)
