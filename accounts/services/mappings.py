"""The verbs about group mappings: what a group of a directory brings its members, and how it comes and goes with the membership."""

from collections.abc import Iterable
from typing import Any, cast

from django.db import models, transaction

from accounts import guards, selectors
from accounts.models import Grant, GroupMapping, Role, User
from accounts.services.grants import delete_grants, set_scopes, told_scopes
from adminset import audit
from adminset.audit import Actor, SystemActor
from adminset.crud import services as crud

Scopes = dict[str, set[int]]


@transaction.atomic
def save_mapping(*, actor: Actor, form: Any) -> GroupMapping:
    """Save a mapping; the grants that it brought follow at once.

    Raises:
        Forbidden: the role, or the one it replaces, holds what the actor does not hold everywhere.
    """
    mapping: GroupMapping = form.instance
    stored = GroupMapping.objects.filter(pk=mapping.pk)
    roles = {mapping.role_id, *stored.values_list("role_id", flat=True)}
    guards.ensure_may_give(
        actor, selectors.permissions_of_roles(Role.objects.filter(pk__in=roles))
    )
    chosen: Scopes = form.scope_ids()
    mapping.scope_ids = {kind: sorted(ids) for kind, ids in chosen.items() if ids}
    saved = cast("GroupMapping", crud.save(actor=actor, form=form))
    for grant in saved.grants.select_related("user", "role"):
        _follow(actor, grant, saved)
    return saved


@transaction.atomic
def delete_mapping(*, actor: Actor, instance: models.Model) -> None:
    """Delete a mapping with the grants that it brought.

    Raises:
        Forbidden: its role holds what the actor does not hold everywhere.
    """
    mapping = cast("GroupMapping", instance)
    guards.ensure_holds(
        actor, selectors.permissions_of_roles(Role.objects.filter(pk=mapping.role_id))
    )
    delete_grants(actor, Grant.objects.filter(mapping=mapping))
    crud.delete(actor=actor, instance=mapping)


def _follow(actor: Actor, grant: Grant, mapping: GroupMapping) -> None:
    before = audit.snapshot(grant) | {"scopes": told_scopes(grant)}
    grant.role, grant.everything = mapping.role, mapping.everything
    grant.save()
    _copy_scopes(grant, mapping)
    after = audit.snapshot(grant) | {"scopes": told_scopes(grant)}
    if changes := audit.changed(before, after):
        audit.record(actor, "grant.update", grant, changes=changes, reason=str(mapping))


def _copy_scopes(grant: Grant, mapping: GroupMapping) -> None:
    wanted: Scopes = {kind: set(ids) for kind, ids in mapping.scope_ids.items()}
    gone = set(grant.scopes.values_list("kind", flat=True)) - set(wanted)
    set_scopes(grant, wanted | {kind: set() for kind in gone})


@transaction.atomic
def sync_groups(*, user: User, source: str, groups: Iterable[str]) -> None:
    """Give a user who signs in what the groups bring, and take away what groups brought that the user has left.

    Args:
        groups: names as the source tells them: distinguished names, or what the claim says.
    """
    actor = SystemActor(str(GroupMapping.Source(source).label))
    names = {name for group in groups for name in names_of(group)}
    mappings = GroupMapping.objects.filter(source=source).select_related("role")
    wanted = {
        each.pk: each for each in mappings if each.group.strip().casefold() in names
    }
    brought = Grant.objects.filter(user=user, mapping__source=source)
    delete_grants(actor, brought.exclude(mapping__in=wanted))
    held = set(brought.values_list("mapping_id", flat=True))
    for mapping in wanted.values():
        if mapping.pk not in held:
            _bring(actor, user, mapping)


def _bring(actor: Actor, user: User, mapping: GroupMapping) -> None:
    grant = Grant.objects.create(
        user=user, role=mapping.role, everything=mapping.everything, mapping=mapping
    )
    _copy_scopes(grant, mapping)
    after = audit.snapshot(grant) | {"scopes": told_scopes(grant)}
    changes = audit.changed({}, after)
    audit.record(actor, "grant.create", grant, changes=changes, reason=str(mapping))


def names_of(group: str) -> set[str]:
    """Give the names by which a mapping may call a group: the whole, and the common name of a distinguished name."""
    whole = group.strip().casefold()
    first = whole.partition(",")[0]
    kind, _equals, value = first.partition("=")
    common = {value.strip()} if kind.strip() == "cn" and value else set()
    return {whole, *common}
