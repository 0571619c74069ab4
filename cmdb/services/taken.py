"""Takes rows away and brings them back: with all that hung on them, and with what pointed at them."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.admin.utils import NestedObjects
from django.core import serializers
from django.core.serializers.base import DeserializedObject
from django.db import models

# {"model", "field", "key", "to"}: the row `key` of a model pointed with a field at `to`.
Link = dict[str, Any]


def take_away(rows: Iterable[models.Model]) -> tuple[list[str], list[Link]]:
    """Delete rows with all that hangs on them.

    Returns:
        the rows as texts, and what pointed at them and points at nothing now; both for `bring_back`, fit for JSON.
    """
    texts: list[str] = []
    links: list[Link] = []
    for row in rows:
        if not type(row)._base_manager.filter(pk=row.pk).exists():
            continue
        collector = NestedObjects(using="default", origin=row)
        collector.collect([row])
        collector.sort()
        found = [each for rows in collector.data.values() for each in rows]
        texts.append(serializers.serialize("json", reversed(found)))
        emptied: Any = collector.field_updates
        for (field, _value), listed in emptied.items():
            links += [_link(each, field) for some in listed for each in some]
        row.delete()
    return texts, links


def _link(row: models.Model, field: Any) -> Link:
    names = {"model": row._meta.label, "field": field.attname}
    return {**names, "key": row.pk, "to": getattr(row, field.attname)}


def bring_back(
    texts: Iterable[str], links: Iterable[Link], *, without: str = ""
) -> None:
    """Save rows again, and what pointed at them. What they referred to and is deleted since stays empty.

    Args:
        without: label of a model whose rows stay away.
    """
    waiting = [
        found
        for text in texts
        for found in serializers.deserialize("json", text, ignorenonexistent=True)
        if found.object._meta.label_lower != without
    ]
    later = list(links)
    while waiting:
        stuck = [found for found in waiting if not _saved(found, later)]
        if len(stuck) == len(waiting):
            # What these cannot be without is deleted since.
            break
        waiting = stuck
    for link in later:
        _point_again(link)


def _saved(found: DeserializedObject, later: list[Link]) -> bool:
    """Save a row if all that it cannot be without is there; its other references that lead nowhere yet are left for later."""
    row = found.object
    fields = [field for field in row._meta.concrete_fields if field.is_relation]
    lost = [field for field in fields if not _is_there(field, row)]
    if not all(field.null for field in lost):
        return False
    for field in lost:
        later.append(_link(row, field))
        setattr(row, field.attname, None)
    found.save(save_m2m=False)
    return True


def _is_there(field: Any, row: models.Model) -> bool:
    key = getattr(row, field.attname)
    return key is None or _exists(field, key)


def _exists(field: Any, key: Any) -> bool:
    rows = field.related_model._base_manager.filter(**{field.target_field.name: key})
    return bool(rows.exists())


def _point_again(link: Link) -> None:
    """Set a reference again, unless its target is gone or somebody has set another one since."""
    owner: Any = apps.get_model(link["model"])
    name = link["field"]
    field = next(f for f in owner._meta.concrete_fields if f.attname == name)
    if _exists(field, link["to"]):
        rows = owner._base_manager.filter(pk=link["key"], **{name: None})
        rows.update(**{name: link["to"]})
