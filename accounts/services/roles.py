"""The verbs about roles."""

from typing import Any, cast

from django.db import models, transaction

from accounts import guards, selectors
from accounts.models import Grant, Role
from accounts.services.grants import delete_grants
from adminset.audit import Actor
from adminset.crud import services as crud


@transaction.atomic
def save_role(*, actor: Actor, form: Any) -> Role:
    """Save a role.

    Raises:
        Forbidden: it holds, or would hold, what the actor does not hold everywhere.
    """
    stored = Role.objects.filter(pk=form.instance.pk)
    before = selectors.permissions_of_roles(stored)
    chosen = selectors.names_of(form.cleaned_data["permissions"])
    guards.ensure_holds(actor, before)
    guards.ensure_may_give(actor, chosen - before)
    return cast("Role", crud.save(actor=actor, form=form))


@transaction.atomic
def delete_role(*, actor: Actor, instance: models.Model) -> None:
    """Delete a role with its grants.

    Raises:
        Forbidden: it holds what the actor does not hold everywhere.
    """
    guards.ensure_holds(
        actor, selectors.permissions_of_roles(Role.objects.filter(pk=instance.pk))
    )
    delete_grants(actor, Grant.objects.filter(role_id=instance.pk))
    crud.delete(actor=actor, instance=instance)
