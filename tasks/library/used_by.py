"""What uses an item of the library: schedules, templates, steps of workflows, and of a role the playbooks that name it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import QuerySet

from adminset.errors import DomainError
from adminset.querysets import seen
from tasks.library.choosing import role_versions
from tasks.library_models import LibraryItem, Playbook, Role, StoredFile
from tasks.models import Run
from tasks.work_models import Work


@dataclass(frozen=True)
class Users:
    """Rows of one kind that use an item: those that the reader may see, and whether there are others."""

    title: Any
    rows: list[Any]
    hidden: bool


def works() -> list[type[models.Model]]:
    """List the models of work that is kept: not the runs, which are over."""
    found = apps.get_app_config("tasks").get_models()
    return [model for model in found if issubclass(model, Work) and model is not Run]


def users_of(item: LibraryItem, user: Any) -> list[Users]:
    """List what uses an item, by kind, without kinds that do not."""
    found = [(model._meta.verbose_name_plural, _rows(model, item)) for model in works()]
    if isinstance(item, Role):
        listed = playbooks_with(item)
        kind = type(listed[0])._meta.verbose_name_plural if listed else ""
        found.append((kind, listed))
    return [_users(title, rows, user) for title, rows in found if rows]


def _rows(model: type[models.Model], item: LibraryItem) -> list[Any]:
    rows = model._default_manager.all()
    if isinstance(item, StoredFile):
        return list(rows.filter(pk__in=bringing(rows, item)))
    return list(rows.filter(**{str(item._meta.model_name): item}))


def _users(title: Any, rows: Iterable[Any], user: Any) -> Users:
    every = list(rows)
    shown = seen(user, every)
    return Users(title, shown, len(shown) < len(every))


def counts_of(model: type[LibraryItem], user: Any) -> Counter[int]:
    """Count for all items of a kind at once how much uses them, of what the reader may see: {key: number}."""
    counts: Counter[int] = Counter()
    for work in works():
        rows: Any = work._default_manager.all()
        shown = rows.visible_to(user) if hasattr(rows, "visible_to") else rows
        counts.update(_keys(shown.order_by(), model))
    return counts


def _keys(rows: Any, model: type[LibraryItem]) -> list[int]:
    if model is not StoredFile:
        name = str(model._meta.model_name)
        return [key for key in rows.values_list(f"{name}_id", flat=True) if key]
    listed = rows.exclude(distribution=[]).values_list("distribution", flat=True)
    return [
        one["file"]
        for files in listed
        for one in files
        if isinstance(one, dict) and isinstance(one.get("file"), int)
    ]


def bringing(rows: QuerySet, item: StoredFile) -> list[int]:
    """Give the keys of those rows of work that bring a file to hosts."""
    listed = rows.exclude(distribution=[]).values_list("pk", "distribution")
    return [
        key
        for key, files in listed
        if any(isinstance(one, dict) and one.get("file") == item.pk for one in files)
    ]


def playbooks_with(role: Role) -> list[Playbook]:
    """Give the playbooks that name a role, or a role that names it."""
    return [
        playbook
        for playbook in Playbook.objects.all()
        if _names(playbook.content, role)
    ]


def _names(text: str, role: Role) -> bool:
    try:
        return role.name in role_versions(text)
    except DomainError:
        # One of its roles may not run, so it does not run as it is.
        return role.name in text
