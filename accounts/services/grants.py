"""The verbs about grants: who gets which role, where and for how long."""

from typing import Any, cast

from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts import guards, selectors
from accounts.models import Grant, GrantScope, GroupMapping, Role
from adminset import audit
from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.errors import Conflict


@transaction.atomic
def save_grant(*, actor: Actor, form: Any) -> Grant:
    """Save a grant and where it holds.

    Raises:
        Forbidden: the role, or the one it replaces, holds what the actor does not hold everywhere.
    """
    grant: Grant = form.instance
    ensure_by_hand(grant)
    stored = Grant.objects.filter(pk=grant.pk).values_list("role_id", flat=True)
    roles = Role.objects.filter(pk__in=[grant.role_id, *stored])
    given = selectors.permissions_of_roles(roles)
    guards.ensure_may_give(actor, given, until=grant.valid_until)
    creating = grant.pk is None
    before = {} if creating else form.before | {"scopes": told_scopes(grant)}
    form.save()
    set_scopes(grant, form.scope_ids())
    changes = audit.changed(
        before, audit.snapshot(grant) | {"scopes": told_scopes(grant)}
    )
    if changes:
        verb = "grant.create" if creating else "grant.update"
        audit.record(actor, verb, grant, changes=changes, reason=form.reason)
    return grant


def ensure_by_hand(grant: Grant) -> None:
    """Leave alone what a group of a directory brought: it would come back with the next sign-in.

    Raises:
        Conflict: names the group.
    """
    if grant.mapping is not None:
        raise Conflict(
            _("This grant comes from the group %(group)s.") % {"group": grant.mapping},
            _("Change the group mapping, or the membership."),
            code="mapped",
        )


def set_scopes(grant: Grant, wanted: dict[str, set[int]]) -> None:
    """Let a grant hold on these objects, for each kind that is named."""
    for kind, ids in wanted.items():
        stored = grant.scopes.filter(kind=kind)
        stored.exclude(object_id__in=ids).delete()
        missing = ids - set(stored.values_list("object_id", flat=True))
        GrantScope.objects.bulk_create(
            GrantScope(grant=grant, kind=kind, object_id=pk) for pk in sorted(missing)
        )


def told_scopes(grant: Grant) -> list[str]:
    """Name where a grant holds, for the trail."""
    rows = GrantScope.objects.filter(grant=grant).order_by("kind", "object_id")
    return [str(row) for row in rows]


@transaction.atomic
def delete_grant(*, actor: Actor, instance: models.Model) -> None:
    """Take a role away from a user.

    Raises:
        Forbidden: the role holds what the actor does not hold everywhere.
    """
    grant = cast("Grant", instance)
    ensure_by_hand(grant)
    guards.ensure_holds(
        actor, selectors.permissions_of_roles(Role.objects.filter(pk=grant.role_id))
    )
    crud.delete(actor=actor, instance=grant)


def delete_grants(actor: Actor, grants: models.QuerySet) -> None:
    """Delete grants one by one, so that the trail names everybody who loses something."""
    for grant in grants.select_related("user", "role"):
        crud.delete(actor=actor, instance=grant)


@transaction.atomic
def forget_scope(actor: Actor, kind: str, object_id: int) -> None:
    """Take a deleted object out of all grants (adminset/scopes.py calls it); a grant left empty gives nothing."""
    rows = GrantScope.objects.filter(kind=kind, object_id=object_id)
    for scope in rows.select_related("grant__user", "grant__role"):
        change = {"field": "scopes", "old": str(scope), "new": None}
        audit.record(actor, "grant.update", scope.grant, changes=[change])
    rows.delete()
    for mapping in GroupMapping.objects.filter(scope_ids__has_key=kind):
        if object_id in mapping.scope_ids[kind]:
            mapping.scope_ids[kind].remove(object_id)
            mapping.save(update_fields=["scope_ids", "updated_at"])
