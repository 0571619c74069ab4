"""How a generic row is written and deleted: permission, row, audit line, all in one transaction."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.utils.translation import gettext as _

from adminset import audit, scopes
from adminset.audit import Actor
from adminset.errors import Conflict, Forbidden
from adminset.querysets import may
from adminset.search_models import SearchTerm

if TYPE_CHECKING:
    from adminset.crud.forms import ResourceForm
    from adminset.crud.resource import Resource

# What rooms do before an object goes, in the same transaction: (actor, object). They join in ready().
before_delete: list[Callable[[Actor, models.Model], None]] = []

# How many objects a sentence names that stand in the way.
NAMED = 5


def save(*, actor: Actor, form: "ResourceForm") -> models.Model:
    """Save what a valid form says, and record what changed; a form without a change writes nothing."""
    # Not by the key: a deleted object that is brought back has its old one.
    creating = form.instance._state.adding
    before = {} if creating else form.before
    instance = form.save()
    changes = audit.changed(before, audit.snapshot(instance)) + form.secret_changes()
    if creating or changes:
        verb = f"{instance._meta.model_name}.{'create' if creating else 'update'}"
        audit.record(actor, verb, instance, changes=changes, reason=form.reason)
    return instance


def save_checked(
    *, resource: "Resource", user: Any, form: "ResourceForm", actor: Actor
) -> models.Model:
    """Save through the resource's service and look at the saved row again with the user's eyes.

    Raises:
        Forbidden: the row would lie outside what the user may add or change, before or after; nothing is kept.
    """
    action = "add" if form.instance._state.adding else "change"
    with transaction.atomic():
        instance = resource.save(actor=actor, form=form)
        if not resource.rows(user, action).filter(pk=instance.pk).exists():
            raise Forbidden(
                _(
                    "You may not have a %(name)s like this: it would lie outside your scope."
                )
                % {"name": resource.verbose_name},
                _("Choose a group that you are responsible for."),
                code="out_of_scope",
            )
    return instance


def delete(
    *, actor: Actor, instance: models.Model, further: Iterable[audit.Change] = ()
) -> None:
    """Delete a row and record it; grants that were held to it lose it.

    Args:
        further: changes that the line tells besides the row's own last values.

    Raises:
        Conflict: other objects need this one; says which.
    """
    try:
        with transaction.atomic():
            audit.record(
                actor,
                f"{instance._meta.model_name}.delete",
                instance,
                changes=[*_last_words(instance), *further],
            )
            # Those of what goes along with it find nothing, and go at night (adminset/tasks.py).
            SearchTerm.objects.of(instance).delete()
            for each in before_delete:
                each(actor, instance)
            label, key = instance._meta.label_lower, instance.pk
            instance.delete()
            scopes.forget(actor, label, key)
    except models.ProtectedError as error:
        raise still_needed(actor, instance, error.protected_objects) from error
    except models.RestrictedError as error:
        raise still_needed(actor, instance, error.restricted_objects) from error


def _last_words(instance: models.Model) -> list[audit.Change]:
    """Keep everything, empty fields too: from this line the object can be brought back (adminset/crud/revert.py)."""
    kept = audit.snapshot(instance).items()
    return [audit.change_of(name, value, None) for name, value in kept]


def still_needed(actor: Actor, instance: models.Model, needed_by: Any) -> Conflict:
    """Say what stands in the way of a deletion, by the names that the actor may see."""
    rows = list(needed_by)[:NAMED]
    known = [row for row in rows if _may_name(actor, row)]
    listed = sorted(str(row) for row in known)
    if len(known) < len(rows):
        listed.append(_("objects that you may not see"))
    names = ", ".join(listed)
    return Conflict(
        _("%(name)s cannot be deleted: %(others)s still need it.")
        % {"name": instance, "others": names},
        _("Move or delete those first."),
        code="still_needed",
    )


def _may_name(actor: Actor, row: models.Model) -> bool:
    person = isinstance(actor, get_user_model())
    return not person or not scopes.is_scoped(type(row)) or may(actor, "view", row)
