"""Takes changes back: through each resource's own form and service, all or nothing, refused where a later change stands in the way."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit, context
from adminset.audit_chain import content
from adminset.audit_seal import is_authentic
from adminset.crud import bulk_plain
from adminset.crud.changes import lines_of
from adminset.crud.forms import ResourceForm, bound_form
from adminset.crud.kept import field_of
from adminset.crud.plan import SET, ObjectStep, Plan, make_plan
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from adminset.querysets import seen

Progress = Callable[[int, int], None]
# So many objects an error names.
NAMED = 20


@dataclass(frozen=True)
class Done:
    """How many objects were changed, deleted and brought back."""

    change: int = 0
    delete: int = 0
    add: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.change + self.delete + self.add


def revert(
    *,
    user: Any,
    pk: int,
    whole: bool,
    reason: str = "",
    progress: Progress = lambda done, total: None,
) -> Done:
    """Take a line of the trail back, or all lines of its request.

    Args:
        pk: id of the line. whole: all lines of its request.
        reason: why, in the user's words; the trail names the line or the request besides.
        progress: called with how many objects are done, of how many.

    Raises:
        NotFound: there is no such line for this user.
        Conflict: a later change touched the same fields, or something needs what would be deleted.
        Forbidden: the user may not do this to all of the objects.
        DomainError: a form refused an old value; nothing is changed.
    """
    entries = lines_of(user, pk, whole=whole)
    with transaction.atomic():
        plan = make_plan(user, entries, lock=True)
        ensure_possible(plan)
        with context.acting("revert", _reason(entries, whole, reason)):
            _do_all(user, plan, progress)
    counts = dict.fromkeys(("change", "delete", "add"), 0)
    for step in plan.todo:
        counts[step.act] += 1
    return Done(**counts)


def _reason(entries: list[AuditEntry], whole: bool, reason: str) -> str:
    request = entries[0].request_id
    what = f"request {request}" if whole and request else f"entry {entries[0].pk}"
    if not whole and request:
        what += f" of request {request}"
    return f"reverts {what}" + (f": {reason}" if reason else "")


def ensure_possible(plan: Plan) -> None:
    """Refuse what cannot be done as a whole.

    Raises:
        DomainError: says why; `fields` names each object.
    """
    if plan.hidden:
        raise Forbidden(
            _("This request also changed objects that you may not see."),
            _("Take back what is yours, change by change."),
            code="out_of_scope",
        )
    if plan.refused:
        raise Conflict(
            _("This cannot be taken back as a whole. Nothing was changed."),
            _("Look at the plan: it names who changed what since."),
            code="conflict",
            fields={_label(s): _why(s) for s in plan.refused[:NAMED]},
        )
    for entry in plan.entries:
        if not is_authentic(entry.mac, content(entry)):
            raise Conflict(
                _("Line %(number)s of the trail is not as it was written.")
                % {"number": entry.pk},
                _("Run manage.py verify_audit. Nothing was changed."),
                code="not_authentic",
            )
    if not plan.todo:
        raise Conflict(
            _("There is nothing to take back: all is as it was before."),
            code="nothing_to_revert",
        )


def _label(step: ObjectStep) -> str:
    return f"{step.net.resource.model_name} {step.net.pk}"


def _why(step: ObjectStep) -> str:
    if step.problem:
        return str(step.problem)
    return ", ".join(
        _("%(field)s was changed since by %(who)s")
        % {
            "field": conflict.name,
            "who": conflict.later.actor_name if conflict.later else "?",
        }
        for conflict in step.conflicts
    )


def _do_all(user: Any, plan: Plan, progress: Progress) -> None:
    problems: dict[str, str] = {}
    done, total = 0, len(plan.todo)
    # Newest first; changes that stand together and are plain are written together.
    for plain, some in groupby(plan.todo, key=_plain_kind):
        for steps in _alike(user, some) if plain else ([step] for step in some):
            problems |= _tried(user, steps)
            done += len(steps)
            progress(done, total)
            if len(problems) >= NAMED:
                break
    if problems:
        raise DomainError(
            _("Some objects cannot be as they were. Nothing was changed."),
            " ".join(problems.values()),
            code="refused",
            fields=problems,
        )


def _plain_kind(step: ObjectStep) -> str:
    """Name the kind of an object of which only such fields change that many objects can be given at once; else ""."""
    resource = step.net.resource
    wanted = {each.name for each in step.fields if each.state == SET}
    plain = step.act == "change" and wanted <= set(resource.bulk_plain)
    return str(resource.model._meta.label_lower) if plain else ""


def _alike(user: Any, steps: Iterable[ObjectStep]) -> list[list[ObjectStep]]:
    """Put together what becomes the same."""
    found: dict[str, list[ObjectStep]] = {}
    for step in steps:
        found.setdefault(repr(sorted(_boxed(user, step).items())), []).append(step)
    return list(found.values())


def _tried(user: Any, steps: list[ObjectStep]) -> dict[str, str]:
    """Do one step, or plain ones that are alike, and give what is wrong."""
    label, name = _label(steps[0]), steps[0].net.name
    try:
        if len(steps) > 1:
            _do_alike(user, steps)
        else:
            _do(user, steps[0])
    except DomainError as error:
        return {label: f"{name}: {error.message} {error.hint}".strip()}
    except PermissionDenied:
        refused = _("You may not do this.")
        return {label: f"{name}: {refused}"}
    return {}


def _do_alike(user: Any, steps: list[ObjectStep]) -> None:
    resource, values = steps[0].net.resource, _boxed(user, steps[0])
    keys = [step.net.pk for step in steps]
    for start in range(0, len(keys), bulk_plain.CHUNK):
        some = keys[start : start + bulk_plain.CHUNK]
        errors = bulk_plain.edit(
            actor=user,
            resource=resource,
            rows=resource.model._default_manager.filter(pk__in=some),
            values=values,
            progress=lambda count: None,
        )
        if errors:
            raise DomainError("; ".join(errors))


def _do(user: Any, step: ObjectStep) -> None:
    resource = step.net.resource
    if step.act == "delete":
        resource.delete(actor=user, instance=step.instance)
        return
    form = _form(user, step)
    if not form.is_valid():
        said = [
            f"{form_name(form, n)}: {' '.join(map(str, e))}"
            for n, e in form.errors.items()
        ]
        raise DomainError("; ".join(said))
    if step.act == "add":
        form.instance.pk = step.net.pk
    resource.save_checked(user=user, form=form)


def form_name(form: ResourceForm, name: str) -> str:
    """Say what a page calls a field of a form."""
    return str(form.fields[name].label) if name in form.fields else name


def _boxed(user: Any, step: ObjectStep) -> dict[str, Any]:
    """Give the old values of those fields that the form has boxes for."""
    resource = step.net.resource
    return {
        each.name: _shown(user, step, field_of(resource.model, each.name), each.value)
        for each in step.fields
        if each.state == SET and each.name in resource.form.base_fields
    }


def _form(user: Any, step: ObjectStep) -> ResourceForm:
    """Put the old values where people would enter them; those that no box takes are set on the object itself."""
    resource = step.net.resource
    boxed = _boxed(user, step)
    beyond = {
        each.name: each.value
        for each in step.fields
        if each.state == SET
        and each.name not in boxed
        and not field_of(resource.model, each.name).is_relation
    }
    instance = step.instance or resource.model()
    before = audit.snapshot(instance) if step.instance else {}
    # First, because boxes for parts of such a value are filled from it.
    _put(instance, beyond)
    try:
        form = bound_form(resource.form, user=user, values=boxed, instance=instance)
    except ValidationError as error:
        raise DomainError(" ".join(error.messages)) from error
    form.before = before
    return form


def _put(instance: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(instance, name, value)


def _shown(user: Any, step: ObjectStep, field: Any, value: Any) -> Any:
    """Leave out related objects that the object has and the user may not see: the form keeps those by itself.

    Raises:
        Forbidden: one of them would have to go.
    """
    if step.instance is None or not field.many_to_many:
        return value
    now = list(getattr(step.instance, field.name).all())
    hidden = {row.pk for row in now} - {row.pk for row in seen(user, now)}
    if hidden - set(value):
        raise Forbidden(
            _("%(field)s would lose what you may not see.") % {"field": field.name}
        )
    return [key for key in value if key not in hidden]
