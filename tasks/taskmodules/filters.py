"""How the list of task modules is narrowed."""

import django_filters
from django.utils.translation import gettext_lazy as _

from tasks.models import TaskModule


class TaskModuleFilter(django_filters.FilterSet):
    """Task modules by category and whether they are on."""

    category = django_filters.CharFilter(label=_("category"), lookup_expr="icontains")

    class Meta:
        model = TaskModule
        fields = ("category", "enabled")
