"""How the lists of the library are narrowed."""

from typing import Any

import django_filters
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from tasks.models import Playbook, Role, Script, StoredFile, Version
from tasks.work_models import Work


def with_newest(rows: QuerySet) -> QuerySet:
    """Bring along number and state of each item's newest version."""
    name = str(rows.model._meta.model_name)
    key = "file" if name == "storedfile" else name
    newest = Version.objects.filter(**{key: OuterRef("pk")}).order_by("-number")
    return rows.annotate(
        version_number=Subquery(newest.values("number")[:1]),
        version_state=Subquery(newest.values("state")[:1]),
    )


def _seen(model: Any) -> Any:
    def rows(request: Any) -> QuerySet:
        manager = model.objects
        return manager.visible_to(request.user) if request else manager.none()

    return rows


class ItemFilter(django_filters.FilterSet):
    """Items by how their newest version stands, and where they come from."""

    version_state = django_filters.MultipleChoiceFilter(
        label=_("state"), choices=Version.State.choices, method="by_state"
    )

    def by_state(self, rows: QuerySet, name: str, wanted: list[str]) -> QuerySet:
        """Narrow to items whose newest version stands so."""
        if not wanted:
            return rows
        return with_newest(rows).filter(version_state__in=wanted)


class ScriptFilter(ItemFilter):
    """Scripts, also by language."""

    language = django_filters.MultipleChoiceFilter(
        label=_("language"), choices=Work.Language.choices
    )

    class Meta:
        model = Script
        fields = ("language", "version_state", "needs_approval", "git_source")


class PlaybookFilter(ItemFilter):
    """Playbooks."""

    class Meta:
        model = Playbook
        fields = ("version_state", "needs_approval", "git_source")


class RoleFilter(ItemFilter):
    """Roles."""

    class Meta:
        model = Role
        fields = ("version_state", "needs_approval", "git_source")


class StoredFileFilter(ItemFilter):
    """Files."""

    class Meta:
        model = StoredFile
        fields = ("version_state", "needs_approval", "git_source")


class VersionFilter(django_filters.FilterSet):
    """Versions by item and state."""

    state = django_filters.MultipleChoiceFilter(
        label=_("state"), choices=Version.State.choices
    )
    script = django_filters.ModelChoiceFilter(label=_("script"), queryset=_seen(Script))
    playbook = django_filters.ModelChoiceFilter(
        label=_("playbook"), queryset=_seen(Playbook)
    )
    role = django_filters.ModelChoiceFilter(label=_("role"), queryset=_seen(Role))
    file = django_filters.ModelChoiceFilter(label=_("file"), queryset=_seen(StoredFile))
    author_name = django_filters.CharFilter(label=_("author"), lookup_expr="icontains")

    class Meta:
        model = Version
        fields = ("state", "script", "playbook", "role", "file", "author_name")
