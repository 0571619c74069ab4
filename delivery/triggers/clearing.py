"""Forgets what came to git web-hooks long ago, the signs of repeated messages, and requests of which nothing came."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from delivery.models import DeployRequest, DeployTime, GitHookDelivery, GitHookSeen
from tasks.hooks.clearing import AT_ONCE, REMEMBERED


def clear() -> int:
    """Delete what is too old, some thousands of rows at once; gives how many. Requests that became deploys stay with them."""
    now = timezone.now()
    old = now - timedelta(days=settings.HOOK_KEEP_DAYS)
    asked = DeployRequest.objects.filter(deploy=None, created_at__lt=old)
    return sum(
        (
            _gone(GitHookSeen, GitHookSeen.objects.filter(at__lt=now - REMEMBERED)),
            _gone(GitHookDelivery, GitHookDelivery.objects.filter(at__lt=old)),
            _gone(
                DeployTime,
                DeployTime.objects.filter(planned_at__lt=old, request__deploy=None),
            ),
            _gone(DeployRequest, asked.exclude(state=DeployRequest.State.WAITING)),
        )
    )


def _gone(model: type[Model], rows: object) -> int:
    gone = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):  # type: ignore[attr-defined]
        model._default_manager.filter(pk__in=keys).delete()
        gone += len(keys)
    return gone
