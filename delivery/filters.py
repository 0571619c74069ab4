"""How the lists of the room are narrowed."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from appconf.models import Environment, Project
from delivery.models import Artefact, Deploy, Pipeline, PipelineTemplate


def _seen(rows: Any, *named: str) -> Any:
    """Give a function that offers the rows of a model that the asker may see, with what their names are made of."""

    def offered(request: Any) -> QuerySet:
        found = rows.visible_to(request.user) if request else rows.none()
        return found.select_related(*named) if named else found

    return offered


PROJECTS = _seen(Project.objects)


class PipelineFilter(django_filters.FilterSet):
    """Pipelines by project, template, policy."""

    project = django_filters.ModelChoiceFilter(label=_("project"), queryset=PROJECTS)
    template = django_filters.ModelChoiceFilter(
        label=_("template"), queryset=_seen(PipelineTemplate.objects)
    )

    class Meta:
        model = Pipeline
        fields = ("project", "template", "policy", "is_active")


class DeployFilter(django_filters.FilterSet):
    """Deploys by what, where, who, when, and how they stand."""

    status = django_filters.MultipleChoiceFilter(
        label=_("status"), choices=Deploy.Status.choices
    )
    project = django_filters.ModelChoiceFilter(
        label=_("project"), field_name="pipeline__project", queryset=PROJECTS
    )
    pipeline = django_filters.ModelChoiceFilter(
        label=_("pipeline"), queryset=_seen(Pipeline.objects, "project")
    )
    environment = django_filters.ModelChoiceFilter(
        label=_("environment"), queryset=_seen(Environment.objects, "project")
    )
    kind = django_filters.MultipleChoiceFilter(
        label=_("kind"), choices=Deploy.Kind.choices
    )
    trigger = django_filters.MultipleChoiceFilter(
        label=_("begun"), choices=Deploy.Trigger.choices
    )
    requested_by_name = django_filters.CharFilter(
        label=_("started by"), lookup_expr="icontains"
    )
    commit = django_filters.CharFilter(label=_("commit"), lookup_expr="istartswith")
    release = django_filters.NumberFilter(
        label=_("number of the release"), field_name="artefact__number"
    )
    created_at = django_filters.DateFromToRangeFilter(label=_("asked for"))

    class Meta:
        model = Deploy
        fields = (
            "status",
            "project",
            "pipeline",
            "environment",
            "kind",
            "trigger",
            "requested_by_name",
            "commit",
            "release",
            "created_at",
        )


class ArtefactFilter(django_filters.FilterSet):
    """Artefacts by project, branch, and how they stand."""

    project = django_filters.ModelChoiceFilter(label=_("project"), queryset=PROJECTS)
    branch = django_filters.CharFilter(
        label=pgettext_lazy("git", "branch"), lookup_expr="icontains"
    )
    commit = django_filters.CharFilter(label=_("commit"), lookup_expr="istartswith")
    built_at = django_filters.DateFromToRangeFilter(label=_("built"))

    class Meta:
        model = Artefact
        fields = ("project", "branch", "commit", "bad", "kept", "built_at")
