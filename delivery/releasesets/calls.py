"""Calls workers for release runs: after each decision of people, each request that is decided, each deploy that ended."""

from django.conf import settings
from django.db.models import Q

from adminset import calling
from delivery.models import SetPart, SetRun

ADVANCE = "delivery.advance_set"


def call(pk: int) -> None:
    """Call a worker for a release run once this transaction is written; where Redis is away the sweeper calls later."""
    calling.send_later(ADVANCE, pk, queue=settings.CELERY_TASK_DEFAULT_QUEUE)


def send(pk: int) -> None:
    """Call a worker for a release run."""
    calling.send(ADVANCE, pk, queue=settings.CELERY_TASK_DEFAULT_QUEUE)


def deploy_ended(pk: int) -> None:
    """Move on the release run to which a deploy belongs, if it belongs to one."""
    _move(Q(request__deploy=pk) | Q(back_request__deploy=pk))


def request_decided(pk: int) -> None:
    """Move on the release run to which a request belongs, if it belongs to one."""
    _move(Q(request=pk) | Q(back_request=pk))


def _move(which: Q) -> None:
    parts = SetPart.objects.filter(which, set_run__state__in=SetRun.OPEN)
    for pk in parts.values_list("set_run", flat=True):
        send(pk)
