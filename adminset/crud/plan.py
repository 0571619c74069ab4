"""The plan of a revert: per object and field what is now, what will be, and what a later change forbids. Writes nothing."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from adminset.crud.changes import Net, by_object, may_see_gone
from adminset.crud.history import label_of
from adminset.crud.kept import (
    MISSING,
    Lost,
    field_of,
    kept_value,
    taken_back,
    value_now,
)
from adminset.crud.resource import Resource, resource_of
from adminset.models import AuditEntry

# What happens to a field: it is set, it is as it was already, a later change stands in the way, or it cannot be brought back.
SET, SAME, CONFLICT, STAYS = "set", "same", "conflict", "stays"


@dataclass
class FieldStep:
    """What a revert does to one field.

    Attributes:
        change: the change that is taken back; value: what the field becomes; note: why not.
        later: the line that touched the field since.
    """

    name: str
    label: Any
    change: dict[str, Any]
    state: str = SET
    value: Any = None
    note: str = ""
    later: AuditEntry | None = None


@dataclass
class ObjectStep:
    """What a revert does to one object: `act` is change, delete, add, or "" where nothing is left to do.

    Attributes:
        instance: the object as it is now, None when there is none.
        problem: why it cannot be done as a whole.
    """

    net: Net
    instance: Any
    act: str = ""
    fields: list[FieldStep] = field(default_factory=list)
    problem: str = ""

    @property
    def conflicts(self) -> list[FieldStep]:
        """Fields that a later change touched."""
        return [step for step in self.fields if step.state == CONFLICT]

    @property
    def is_refused(self) -> bool:
        """Whether this object stops the whole revert."""
        return bool(self.problem or self.conflicts)


@dataclass
class Plan:
    """What a revert does. hidden: it would touch objects that the user may not see."""

    entries: list[AuditEntry]
    steps: list[ObjectStep]
    rest: list[AuditEntry]
    hidden: bool = False

    @property
    def todo(self) -> list[ObjectStep]:
        """Objects that something is done to."""
        return [step for step in self.steps if step.act]

    @property
    def refused(self) -> list[ObjectStep]:
        """Objects that stop it."""
        return [step for step in self.steps if step.is_refused]

    @property
    def is_possible(self) -> bool:
        """Whether it can be tried: the forms have their say when it is done."""
        return bool(self.todo) and not self.refused and not self.hidden

    @property
    def permissions(self) -> set[str]:
        """The permissions that it takes."""
        return {step.net.resource.permission(step.act) for step in self.todo}


def make_plan(user: Any, entries: list[AuditEntry], *, lock: bool = False) -> Plan:
    """Work out what taking these lines back would do.

    Args:
        lock: hold the rows until the transaction ends, so that nobody changes them between plan and deed.
    """
    nets, rest = by_object(entries)
    plan = Plan(entries, [], rest)
    kinds: dict[str, list[Net]] = defaultdict(list)
    for net in nets:
        kinds[net.resource.model._meta.label_lower].append(net)
    made = {}
    for some in kinds.values():
        rows = _rows(some[0].resource, [net.pk for net in some], lock=lock)
        for net in some:
            made[id(net)] = _step(net, rows.get(net.pk))
        steps = [made[id(net)] for net in some]
        plan.hidden |= _ask_permission(user, some[0].resource, steps)
    plan.steps = [made[id(net)] for net in nets]
    _ask_dependents(user, plan.todo)
    _find_later(plan)
    return plan


def _rows(resource: Resource, pks: list[int], *, lock: bool) -> dict[int, Any]:
    """Fetch the objects with all that their values, names and forms need, in a few queries however many there are."""
    model = resource.model
    if lock:
        held = model._base_manager.select_for_update().filter(pk__in=pks)
        list(held.order_by("pk").values_list("pk", flat=True))
    single = [
        f.name
        for f in model._meta.concrete_fields
        if f.many_to_one or (f.one_to_one and not f.primary_key)
    ]
    many = [f.name for f in model._meta.many_to_many]
    rows = model._default_manager.filter(pk__in=pks).order_by("pk")
    return {row.pk: row for row in rows.select_related(*single).prefetch_related(*many)}


def _step(net: Net, instance: Any) -> ObjectStep:
    step = ObjectStep(net, instance)
    if net.existed and not net.exists:
        # Keys are never given twice: one that is there was brought back already.
        step.act = "add" if instance is None else ""
    elif instance is None:
        if net.existed:
            step.problem = _("It was deleted since. Take that back first.")
        return step
    else:
        step.act = "change" if net.existed else "delete" if net.exists else ""
    if step.act:
        step.fields = [_field_step(step, change) for change in net.changes.values()]
        if step.act == "change" and not any(f.state == SET for f in step.fields):
            step.act = ""
    return step


def _field_step(step: ObjectStep, change: dict[str, Any]) -> FieldStep:
    model, name = step.net.resource.model, str(change["field"])
    field = field_of(model, name)
    found = FieldStep(name, label_of(field, name), change)
    try:
        if field is None and step.act == "add" and _is_box(step, change):
            found.value = change["old_id"]
            return found
        if field is None or not _is_ours(step, name):
            raise Lost(_("This is not one of the fields that a revert sets."))
        old = kept_value(field, change, "old")
        if step.act == "add":
            found.value = old
            return found
        new, now = kept_value(field, change, "new"), value_now(field, step.instance)
    except Lost as lost:
        found.state, found.note = STAYS, str(lost)
        return found
    if step.act == "delete":
        found.state = SET if now == new else CONFLICT
        return found
    found.value = taken_back(old, new, now)
    if found.value is MISSING:
        found.state = CONFLICT
    elif found.value == now:
        found.state = SAME
    return found


def _is_box(step: ObjectStep, change: dict[str, Any]) -> bool:
    """Say whether related objects, such as the members of a group, are entered in a box of the form alone."""
    boxes = step.net.resource.form.base_fields
    return change["field"] in boxes and isinstance(change.get("old_id"), list)


def _is_ours(step: ObjectStep, name: str) -> bool:
    """Say whether a field is one that people write: of the form, or one that the model names (`restored_fields`)."""
    resource = step.net.resource
    further = getattr(resource.model, "restored_fields", ())
    return step.act != "change" or name in resource.form.base_fields or name in further


def _ask_permission(user: Any, resource: Resource, steps: list[ObjectStep]) -> bool:
    """Write down which objects the user may not do it to; say whether there are some that he may not even see."""
    living = [step.net.pk for step in steps if step.instance is not None]
    seen = _keys(resource.rows(user), living)
    gone = [step.net.entries for step in steps if step.instance is None]
    if set(living) - seen or not may_see_gone(user, chain.from_iterable(gone)):
        return True
    for act in ("change", "delete"):
        wanted = [step for step in steps if step.act == act]
        held = _keys(resource.rows(user, act), [s.net.pk for s in wanted])
        offered = act in resource.verbs
        for step in wanted:
            if step.net.pk not in held or not offered:
                step.problem = _("You may not do this to it.")
    may_add = user.has_perm(resource.permission("add")) and "add" in resource.verbs
    for step in steps:
        if step.act == "add" and not may_add:
            step.problem = _("You may not add such objects.")
    return False


def _keys(rows: models.QuerySet, pks: list[int]) -> set[int]:
    return (
        set(rows.filter(pk__in=pks).order_by().values_list("pk", flat=True))
        if pks
        else set()
    )


def _ask_dependents(user: Any, steps: Iterable[ObjectStep]) -> None:
    """Refuse to delete what something else has come to need, apart from what goes in the same revert."""
    leaving: dict[type[models.Model], dict[int, ObjectStep]] = defaultdict(dict)
    for step in steps:
        if step.act == "delete":
            leaving[step.net.resource.model][step.net.pk] = step
    for model, going in leaving.items():
        for relation in model._meta.related_objects:
            related: Any = relation.related_model
            # Only what people know of: the portal's own rows about an object go with it.
            if resource_of(related._meta.label_lower) is None:
                continue
            name = relation.field.name
            rows = related._base_manager.filter(**{f"{name}__in": going})
            rows = rows.exclude(pk__in=leaving.get(related, {}))
            for pk in set(rows.order_by().values_list(name, flat=True)) & set(going):
                going[pk].problem = _("It is needed: %(what)s.") % {
                    "what": _what(user, related)
                }


def _what(user: Any, model: type[models.Model]) -> Any:
    permission = f"{model._meta.app_label}.view_{model._meta.model_name}"
    if user.has_perm(permission):
        return model._meta.verbose_name_plural
    return _("objects that you may not see")


def _find_later(plan: Plan) -> None:
    """Name for each conflict the newest line that touched the field since."""
    kinds: dict[str, dict[str, ObjectStep]] = defaultdict(dict)
    for step in plan.steps:
        if step.conflicts:
            last = step.net.entries[-1]
            kinds[last.target_type][last.target_id] = step
    for kind, steps in kinds.items():
        first = min(step.net.entries[-1].pk for step in steps.values())
        rows = AuditEntry.objects.filter(
            target_type=kind, target_id__in=steps, pk__gt=first
        )
        for entry in rows.order_by("pk").iterator(chunk_size=500):
            step = steps[entry.target_id]
            if entry.pk > step.net.entries[-1].pk:
                touched = {str(change.get("field", "")) for change in entry.changes}
                for conflict in step.conflicts:
                    if conflict.name in touched:
                        conflict.later = entry
