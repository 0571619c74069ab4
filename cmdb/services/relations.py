"""Every write to a relation: set, taken away, gone with an end; the audit line stands in the history of the source."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.errors import Conflict, DomainError, Forbidden, NotFound
from adminset.querysets import may
from cmdb.related import Key, key_of, relatable, relations_of
from cmdb.relations import Relation, RelationKind

# name, reverse name, impact
SHIPPED = (
    ("runs on", "carries", RelationKind.Impact.SOURCE),
    ("depends on", "is needed by", RelationKind.Impact.SOURCE),
    ("connects to", "is connected from", RelationKind.Impact.NONE),
    ("backs up", "is backed up by", RelationKind.Impact.NONE),
    ("is member of", "has the member", RelationKind.Impact.TARGET),
)


@transaction.atomic
def ensure_kinds(*, actor: Actor) -> int:
    """Make the usual kinds in a portal that has none; gives how many were made."""
    if RelationKind.objects.exists():
        return 0
    for name, reverse_name, impact in SHIPPED:
        kind = RelationKind.objects.create(
            name=name, reverse_name=reverse_name, impact=impact
        )
        audit.record(actor, "relationkind.create", kind)
    return len(SHIPPED)


def add_relation(
    *,
    actor: Any,
    kind: RelationKind,
    source: models.Model,
    target: models.Model,
    note: str = "",
) -> Relation:
    """Relate two objects; the actor may change the source and see the target.

    Raises:
        NotFound: the actor may not see one of them. Forbidden: he may not change the source.
        DomainError: it is one object, or of a kind that cannot be related. Conflict: they are related so already.
    """
    _check_ends(actor, source, target)
    (from_type, from_id), (to_type, to_id) = key_of(source), key_of(target)
    ends = {
        "from_type": from_type,
        "from_id": from_id,
        "to_type": to_type,
        "to_id": to_id,
    }
    try:
        with transaction.atomic():
            made = Relation.objects.create(kind=kind, note=note[:250], **ends)
            words = _words(kind, key_of(target))
            _record(actor, source, None, words)
    except IntegrityError as error:
        raise Conflict(
            _("%(source)s and %(target)s are related so already.")
            % {"source": source, "target": target},
            code="related_already",
        ) from error
    return made


def _check_ends(actor: Any, source: models.Model, target: models.Model) -> None:
    if not (may(actor, "view", source) and may(actor, "view", target)):
        raise NotFound(_("There is no such object."), code="not_found")
    if not may(actor, "change", source):
        raise Forbidden(
            _("You may not change %(name)s.") % {"name": source},
            _("Who relates objects must be allowed to change the source."),
        )
    if key_of(source) == key_of(target):
        raise DomainError(
            _("An object is not related to itself."), fields={"target": str(target)}
        )
    if not {key_of(source)[0], key_of(target)[0]} <= relatable().keys():
        raise DomainError(_("Objects of this kind cannot be related."))


@transaction.atomic
def remove_relation(*, actor: Actor, relation: Relation) -> None:
    """Take a relation away; who may do that is the caller's to check (related.visible_relations)."""
    source = _object((relation.from_type, relation.from_id))
    old = _words(relation.kind, (relation.to_type, relation.to_id))
    relation.delete()
    _record(actor, source or relation, old, None)


def forget_relations(actor: Actor, instance: models.Model) -> None:
    """Take away the relations of an object that is being deleted, and of what goes with it."""
    gone = relations_of((instance._meta.label_lower, instance.pk))
    found = {each.pk: each for each in [*gone, *_of_parts(instance)]}
    for each in found.values():
        remove_relation(actor=actor, relation=each)


def _of_parts(instance: models.Model) -> Iterable[Relation]:
    """Find the relations of rows that the database deletes along with an object."""
    ends = Q()
    for relation in instance._meta.related_objects:
        owner: Any = relation.related_model
        label = owner._meta.label_lower
        if relation.on_delete is models.CASCADE and label in relatable():
            rows = owner._base_manager.order_by()
            keys = rows.filter(**{relation.field.name: instance.pk}).values("pk")
            ends |= Q(from_type=label, from_id__in=keys)
            ends |= Q(to_type=label, to_id__in=keys)
    return Relation.objects.filter(ends).select_related("kind") if ends else ()


def _object(key: Key) -> models.Model | None:
    resource = relatable().get(key[0])
    return resource.model._base_manager.filter(pk=key[1]).first() if resource else None


def _words(kind: RelationKind, other: Key) -> str:
    # By key: who reads the source's history may not see the other end.
    return f"{kind} {other[0].partition('.')[2]} #{other[1]}"


def _record(
    actor: Actor, target: models.Model, old: str | None, new: str | None
) -> None:
    verb = f"{target._meta.model_name}.{'relate' if new else 'unrelate'}"
    change = {"field": "relation", "old": old, "new": new}
    audit.record(actor, verb, target, changes=[change])
