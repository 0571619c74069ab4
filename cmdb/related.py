"""What is related to an object, as far as a reader may see it: relations that people set, and edges that are there by themselves."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Model, Q, QuerySet

from adminset.crud.plain import named_by
from adminset.crud.resource import Resource, all_resources, resource_of
from adminset.querysets import scope_of
from cmdb.edges import Edge, all_edges
from cmdb.relations import Relation

# Label of a model and the key of an object.
Key = tuple[str, int]

ROOM = "cmdb"
# What describes or decides and is no part of the fleet.
NO_ENDS = frozenset(
    {"relationkind", "customfield", "enrolmenttoken", "identityconflict", "agent"}
)
MOST_RELATIONS = 200
MOST_OF_AN_EDGE = 20


def relatable() -> dict[str, Resource]:
    """Map the labels of the models whose objects can be related to their resources."""
    resource_of("cmdb.host")
    return {
        f"{each.app_label}.{each.model_name}": each
        for each in all_resources()
        if each.app_label == ROOM and each.search and each.model_name not in NO_ENDS
    }


def resource_at(path: str) -> Resource | None:
    """Find the resource of objects that can be related by its plural noun ("hosts")."""
    return next((each for each in relatable().values() if each.path == path), None)


def key_of(instance: Model) -> Key:
    """Give the key by which relations know an object."""
    return instance._meta.label_lower, int(instance.pk)


def seen_by_key(
    user: Any,
    keys: Iterable[Key],
    action: str = "view",
    known: Mapping[str, Resource] | None = None,
) -> dict[Key, Any]:
    """Fetch objects of any kinds, those on which the user may do the action; one query for each kind (`known`: not only what can be related)."""
    known, wanted = known or relatable(), defaultdict(set)
    for label, pk in keys:
        wanted[label].add(pk)
    found: dict[Key, Any] = {}
    for label, ids in wanted.items():
        if label in known:
            rows = nameable(known[label].rows(user, action)).filter(pk__in=ids)
            found |= {(label, row.pk): row for row in rows}
    return found


def nameable(rows: QuerySet) -> QuerySet:
    """Bring along what the names of the objects are made of, in the order of the keys."""
    return rows.select_related(*named_by(rows.model)).order_by("pk")


def visible_relations(user: Any, action: str = "view") -> QuerySet[Relation]:
    """Give the relations whose both ends the user may see; for more than looking, whose source he may change."""
    source = "view" if action == "view" else "change"
    ends = _ends("from", user, source), _ends("to", user, "view")
    return Relation.objects.filter(*ends).select_related("kind")


def _ends(side: str, user: Any, action: str) -> Q:
    found, whole = Q(pk__in=()), []
    for label, resource in relatable().items():
        scope = scope_of(user, resource.permission(action))
        if scope.everything:
            whole.append(label)
        elif scope:
            rows = resource.rows(user, action).order_by().values("pk")
            found |= Q(**{f"{side}_type": label, f"{side}_id__in": rows})
    return found | Q(**{f"{side}_type__in": whole})


def relations_of(key: Key) -> QuerySet[Relation]:
    """Give all relations of an object, whoever may see them."""
    label, pk = key
    ends = Q(from_type=label, from_id=pk) | Q(to_type=label, to_id=pk)
    return Relation.objects.filter(ends).select_related("kind")


def set_relations(user: Any, instance: Model) -> dict[str, Any]:
    """Give {rows: [{relation, words, other, kind, removable}], hidden, cut}: what people have related to an object."""
    key = key_of(instance)
    listed = list(relations_of(key)[: MOST_RELATIONS + 1])
    others = {each.pk: _other(each, key) for each in listed}
    seen = seen_by_key(user, others.values())
    ends = {(each.from_type, each.from_id) for each in listed}
    changeable = seen_by_key(user, ends, "change")
    rows = [
        {
            "relation": each,
            "words": each.kind.name
            if _is_source(each, key)
            else each.kind.reverse_name,
            "other": seen[others[each.pk]],
            "kind": seen[others[each.pk]]._meta.verbose_name,
            "removable": (each.from_type, each.from_id) in changeable,
        }
        for each in listed[:MOST_RELATIONS]
        if others[each.pk] in seen
    ]
    hidden = len(set(others.values()) - set(seen))
    return {"rows": rows, "hidden": hidden, "cut": len(listed) > MOST_RELATIONS}


def _is_source(relation: Relation, key: Key) -> bool:
    return (relation.from_type, relation.from_id) == key


def _other(relation: Relation, key: Key) -> Key:
    if _is_source(relation, key):
        return relation.to_type, relation.to_id
    return relation.from_type, relation.from_id


def own_relations(user: Any, instance: Model) -> list[dict[str, Any]]:
    """List what an object hangs together with by itself: [{words, objects, more}], those that the user may see."""
    found = []
    for edge in all_edges():
        if edge.source == instance._meta.label_lower:
            found.append(_forward(user, edge, instance))
        if edge.target == instance._meta.label_lower:
            found.append(_backward(user, edge, instance))
    return [part for part in found if part["objects"]]


def _forward(user: Any, edge: Edge, instance: Any) -> dict[str, Any]:
    pk = getattr(instance, f"{edge.field}_id")
    fits = all(getattr(instance, name) == value for name, value in edge.only)
    keys = [(edge.target, pk)] if pk and fits else []
    return {"words": edge.name, "objects": [*seen_by_key(user, keys).values()]}


def _backward(user: Any, edge: Edge, instance: Model) -> dict[str, Any]:
    resource: Mapping[str, Resource] = relatable()
    if edge.source not in resource:
        return {"words": edge.reverse_name, "objects": []}
    rows = resource[edge.source].rows(user).filter(edge.condition)
    found = nameable(rows.filter(**{edge.field: instance.pk}))
    listed = list(found[: MOST_OF_AN_EDGE + 1])
    return {
        "words": edge.reverse_name,
        "objects": listed[:MOST_OF_AN_EDGE],
        "more": len(listed) > MOST_OF_AN_EDGE,
    }
