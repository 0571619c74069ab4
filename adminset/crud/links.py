"""Links between objects (many to many), written only where they differ, and read no more than once."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from adminset import gathering


def are_same(instance: models.Model, relation: Any, rows: Iterable[Any]) -> bool:
    """Say whether an object is linked to these rows already, as far as that is known without asking the database."""
    known = getattr(instance, "_prefetched_objects_cache", {}).get(relation.name)
    return known is not None and {r.pk for r in known} == {r.pk for r in rows}


def link_later(instance: models.Model, relation: Any, rows: list[Any]) -> None:
    """Put the links of a new object to those that wait; whoever reads the object's own relation finds them there."""
    through = relation.remote_field.through
    source = f"{relation.m2m_field_name()}_id"
    target = f"{relation.m2m_reverse_field_name()}_id"
    gathering.create([through(**{source: instance.pk, target: row.pk}) for row in rows])
    manager = getattr(instance, relation.name)
    # As Django's own prefetching leaves it: further questions to it still ask the database.
    known = manager.get_queryset()
    known._result_cache, known._prefetch_done = rows, True
    kept = vars(instance).setdefault("_prefetched_objects_cache", {})
    kept[manager.prefetch_cache_name] = known
