"""How the lists of the room are narrowed."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from tasks.models import Playbook, Run, Schedule, TaskModule


def _schedules(request: Any) -> QuerySet:
    return (
        Schedule.objects.visible_to(request.user)
        if request
        else Schedule.objects.none()
    )


def _playbooks(request: Any) -> QuerySet:
    return (
        Playbook.objects.visible_to(request.user)
        if request
        else Playbook.objects.none()
    )


def _task_modules(request: Any) -> QuerySet:
    return (
        TaskModule.objects.visible_to(request.user)
        if request
        else TaskModule.objects.none()
    )


class RunFilter(django_filters.FilterSet):
    """Runs by how they stand, what they are, who asked."""

    status = django_filters.MultipleChoiceFilter(
        label=_("status"), choices=Run.Status.choices
    )
    kind = django_filters.MultipleChoiceFilter(
        label=_("kind"), choices=Run.Kind.choices
    )
    requested_by_name = django_filters.CharFilter(
        label=_("started by"), lookup_expr="icontains"
    )
    schedule = django_filters.ModelChoiceFilter(
        label=_("schedule"), queryset=_schedules
    )
    playbook = django_filters.ModelChoiceFilter(
        label=_("playbook"), queryset=_playbooks
    )
    task_module = django_filters.ModelChoiceFilter(
        label=_("task module"), queryset=_task_modules
    )
    module = django_filters.CharFilter(
        label=_("Ansible module"), lookup_expr="icontains"
    )
    created_at = django_filters.DateFromToRangeFilter(label=_("asked for"))

    class Meta:
        model = Run
        fields = (
            "status",
            "kind",
            "requested_by_name",
            "schedule",
            "playbook",
            "task_module",
            "module",
            "created_at",
        )
