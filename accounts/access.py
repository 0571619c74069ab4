"""Works out where a user's grants give which permissions, in two queries whatever their number."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from django.apps import apps
from django.contrib.auth.models import Permission
from django.db import models

from adminset.querysets import Scope


def permissions_of(
    user: models.Model, *, later_too: bool = False
) -> Mapping[str, Scope]:
    """Map each permission ("cmdb.view_host") that the user holds to where it holds.

    A grant without "everywhere" and without a scope gives nothing at all.

    Args:
        later_too: count grants that begin later as well.
    """
    by_role = roles_of(user, later_too=later_too)
    permissions: dict[str, Scope] = {}
    held = Permission.objects.filter(roles__in=by_role).values_list(
        "roles__id", "content_type__app_label", "codename"
    )
    for role_id, label, codename in held:
        name = f"{label}.{codename}"
        if role_id in by_role:
            permissions[name] = _join(permissions.get(name, Scope()), by_role[role_id])
    return permissions


def roles_of(user: models.Model, *, later_too: bool = False) -> Mapping[int, Scope]:
    """Map each role (its id) that the user holds to where; the arguments are those of permissions_of."""
    grants = apps.get_model("accounts", "Grant").objects
    counted = grants.not_ended() if later_too else grants.holding()
    return _scopes_by_role(counted.filter(user_id=user.pk))


def ends_of(user: models.Model) -> Mapping[str, datetime]:
    """Say of each permission that the user holds everywhere for a time only, when that time is over.

    What is held without an end is not named.
    """
    grants = apps.get_model("accounts", "Grant").objects.holding()
    whole = grants.filter(user_id=user.pk, everything=True)
    ends: dict[str, datetime | None] = {}
    held = whole.values_list(
        "role__permissions__content_type__app_label",
        "role__permissions__codename",
        "valid_until",
    )
    for label, codename, until in held:
        name = f"{label}.{codename}"
        known = ends.get(name, until)
        ends[name] = max(known, until) if known and until else None
    return {name: until for name, until in ends.items() if until}


def _scopes_by_role(grants: models.QuerySet) -> dict[int, Scope]:
    found: dict[int, Scope] = {}
    for role_id, everything, kind, object_id in grants.values_list(
        "role_id", "everything", "scopes__kind", "scopes__object_id"
    ):
        ids = {kind: frozenset([object_id])} if kind else {}
        found[role_id] = _join(found.get(role_id, Scope()), Scope(everything, ids))
    return {role_id: scope for role_id, scope in found.items() if scope}


def _join(one: Scope, other: Scope) -> Scope:
    ids: dict[str, frozenset[int]] = defaultdict(frozenset, one.ids)
    for kind, values in other.ids.items():
        ids[kind] |= values
    return Scope(one.everything or other.everything, dict(ids))


def covers(mine: Scope, theirs: Scope) -> bool:
    """Say whether one scope reaches at least as far as another."""
    if mine.everything or not theirs:
        return True
    if mine.limit and not covers(mine.limit, theirs):
        return False
    within = all(ids <= mine.of(kind) for kind, ids in theirs.ids.items())
    return within and not theirs.everything
