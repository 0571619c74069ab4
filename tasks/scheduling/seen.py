"""Schedules and their notices as a user may see them."""

from typing import Any

from tasks.models import Schedule, ScheduleNotice
from tasks.schedule_models import ScheduleQuerySet


def schedules_of(user: Any, action: str = "view") -> ScheduleQuerySet:
    """Give the schedules that the user may see, or change."""
    return Schedule.objects.visible_to(user, action)


def notices_of(user: Any) -> Any:
    """Give what was told of schedules that the user may see."""
    return ScheduleNotice.objects.visible_to(user)
