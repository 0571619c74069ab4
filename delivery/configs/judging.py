"""The judge of pushes and readings: on which hosts they may work, when they are asked for and again whenever a worker begins."""

from collections.abc import Iterable
from typing import Any

from adminset.querysets import may
from appconf.vouching import hosts_of
from cmdb.models import Host
from delivery.models import ConfigPush
from delivery.safety.subjects import number_in
from tasks.models import Run

# The first word of the purpose and of the subject of these legs.
ROOM = "config"
_START = f"{ROOM}.push:"


def subject_of(push: ConfigPush) -> str:
    """Name a push as the subject of its leg."""
    return f"{_START}{push.pk}"


def push_of(subject: str) -> ConfigPush | None:
    """Find the push that a subject names."""
    number = number_in(subject, _START)
    rows = ConfigPush.objects.select_related("environment__project", "requested_by")
    return rows.filter(pk=number or 0).first()


def judge(run: Run, hosts: Iterable[Host]) -> set[int]:
    """Say on which hosts a leg may work: those that somebody vouches for, while who asked may still deploy there."""
    push = push_of(run.subject)
    if push is None or push.status != ConfigPush.Status.RUNNING:
        return set()
    by_portal = push.kind == ConfigPush.Kind.READ and push.requested_by is None
    if not by_portal and not may(push.requested_by, "deploy", push.environment):
        return set()
    ids = {host.pk for host in hosts}
    rows = hosts_of(push.environment).filter(pk__in=ids)
    return set(rows.values_list("pk", flat=True))


def words_of(user: Any, subject: str) -> tuple[str, str] | None:
    """Give what a leg is a part of, in words, and the address of its page; None where the user may not see it."""
    push = push_of(subject)
    if push is None:
        return None
    seen = ConfigPush.objects.visible_to(user).filter(pk=push.pk).exists()
    return (str(push), push.get_absolute_url()) if seen else None
