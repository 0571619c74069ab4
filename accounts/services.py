"""The verbs: every write about users, roles, grants, passwords and tokens (signing in: door.py)."""

import secrets
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, cast

from django.conf import settings
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import guards, selectors, shipped
from accounts.models import ApiToken, Grant, GrantScope, Role, User
from adminset import audit, env
from adminset.audit import Actor, SystemActor
from adminset.crud import services as crud
from adminset.crypto import digest
from adminset.errors import Conflict, DomainError

TOKEN_DAYS = 90
SETUP = SystemActor("set-up")


@transaction.atomic
def save_user(*, actor: Actor, form: Any) -> User:
    """Save a user, with a new password where one is entered.

    Raises:
        DomainError: the actor may not do this to such a user, or no administrator would remain.
    """
    user: User = form.instance
    before = User.objects.filter(pk=user.pk).first()
    if user.is_superuser and not (before and before.is_superuser):
        guards.ensure_administrator(actor)
    if before is not None:
        _check_changed_user(actor, before, user)
    password = form.cleaned_data.get("password")
    if password or before is None:
        user.set_password(password or None)
    saved = crud.save(actor=actor, form=form)
    if password and before is not None:
        audit.record(actor, "user.password", saved)
    return cast("User", saved)


def _check_changed_user(actor: Actor, before: User, after: User) -> None:
    guards.ensure_not_above(actor, before)
    if actor == before and not after.is_active:
        raise Conflict(
            _("You cannot take away your own sign-in."), _("Ask another administrator.")
        )
    was_administrator = before.is_superuser and before.is_active
    if was_administrator and not (after.is_superuser and after.is_active):
        guards.ensure_administrator_remains(before)


@transaction.atomic
def delete_user(*, actor: Actor, instance: models.Model) -> None:
    """Delete a user with the grants and tokens; the audit trail keeps the name.

    Raises:
        DomainError: it is oneself, somebody above oneself, the last administrator, or still needed.
    """
    user = cast("User", instance)
    if actor == user:
        raise Conflict(
            _("You cannot delete yourself."), _("Ask another administrator.")
        )
    guards.ensure_not_above(actor, user)
    if user.is_superuser and user.is_active:
        guards.ensure_administrator_remains(user)
    _delete_grants(actor, Grant.objects.filter(user=user))
    crud.delete(actor=actor, instance=user)


def _delete_grants(actor: Actor, grants: models.QuerySet) -> None:
    """Delete grants one by one, so that the trail names everybody who loses something."""
    for grant in grants.select_related("user", "role"):
        crud.delete(actor=actor, instance=grant)


def check_password(*, password: str, user: User) -> None:
    """Hold a password against the rules.

    Raises:
        DomainError: says what is wrong with it, never the password.
    """
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        sentence = " ".join(error.messages)
        raise DomainError(
            sentence, code="weak_password", fields={"password": sentence}
        ) from error


@transaction.atomic
def set_password(*, actor: Actor, user: User, password: str) -> None:
    """Give a user a new password; the user's sessions end.

    Raises:
        DomainError: the password is too weak, or the user stands above the actor.
    """
    if actor != user:
        guards.ensure_not_above(actor, user)
    check_password(password=password, user=user)
    user.set_password(password)
    user.save(update_fields=["password", "updated_at"])
    audit.record(actor, "user.password", user)


@transaction.atomic
def save_profile(*, actor: Actor, form: Any) -> User:
    """Save what a user chose under My account."""
    return cast("User", crud.save(actor=actor, form=form))


@transaction.atomic
def save_preferences(*, actor: User, theme: str = "", language: str = "") -> None:
    """Keep what a user chose in the head of a page; too small for the audit trail."""
    if theme in User.Theme.values:
        actor.theme = theme
    if language in dict(settings.LANGUAGES):
        actor.language = language
    actor.save(update_fields=["theme", "language"])


# ---- Roles and grants


@transaction.atomic
def save_role(*, actor: Actor, form: Any) -> Role:
    """Save a role.

    Raises:
        Forbidden: it holds, or would hold, what the actor does not hold everywhere.
    """
    stored = Role.objects.filter(pk=form.instance.pk)
    before = selectors.permissions_of_roles(stored)
    chosen = selectors.names_of(form.cleaned_data["permissions"])
    guards.ensure_holds(actor, before | chosen)
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
    _delete_grants(actor, Grant.objects.filter(role_id=instance.pk))
    crud.delete(actor=actor, instance=instance)


@transaction.atomic
def save_grant(*, actor: Actor, form: Any) -> Grant:
    """Save a grant and where it holds.

    Raises:
        Forbidden: the role, or the one it replaces, holds what the actor does not hold everywhere.
    """
    grant: Grant = form.instance
    stored = Grant.objects.filter(pk=grant.pk).values_list("role_id", flat=True)
    roles = Role.objects.filter(pk__in=[grant.role_id, *stored])
    guards.ensure_holds(actor, selectors.permissions_of_roles(roles))
    creating = grant.pk is None
    before = {} if creating else form.before | {"scopes": _scope_list(grant)}
    form.save()
    _set_scopes(grant, form.scope_ids())
    changes = audit.changed(
        before, audit.snapshot(grant) | {"scopes": _scope_list(grant)}
    )
    if changes:
        verb = "grant.create" if creating else "grant.update"
        audit.record(actor, verb, grant, changes=changes, reason=form.reason)
    return grant


def _set_scopes(grant: Grant, wanted: dict[str, set[int]]) -> None:
    for kind, ids in wanted.items():
        stored = grant.scopes.filter(kind=kind)
        stored.exclude(object_id__in=ids).delete()
        missing = ids - set(stored.values_list("object_id", flat=True))
        GrantScope.objects.bulk_create(
            GrantScope(grant=grant, kind=kind, object_id=pk) for pk in sorted(missing)
        )


def _scope_list(grant: Grant) -> list[str]:
    rows = GrantScope.objects.filter(grant=grant).order_by("kind", "object_id")
    return [str(row) for row in rows]


@transaction.atomic
def delete_grant(*, actor: Actor, instance: models.Model) -> None:
    """Take a role away from a user.

    Raises:
        Forbidden: the role holds what the actor does not hold everywhere.
    """
    grant = cast("Grant", instance)
    guards.ensure_holds(
        actor, selectors.permissions_of_roles(Role.objects.filter(pk=grant.role_id))
    )
    crud.delete(actor=actor, instance=grant)


@transaction.atomic
def forget_scope(*, actor: Actor, kind: str, object_id: int) -> None:
    """Take a deleted object out of all grants: a room calls it with the deletion; a grant left empty gives nothing."""
    rows = GrantScope.objects.filter(kind=kind, object_id=object_id)
    for scope in rows.select_related("grant__user", "grant__role"):
        change = {"field": "scopes", "old": str(scope), "new": None}
        audit.record(actor, "grant.update", scope.grant, changes=[change])
    rows.delete()


# ---- Tokens


@transaction.atomic
def create_token(
    *,
    actor: Actor,
    user: User,
    name: str,
    days: int = TOKEN_DAYS,
    can_write: bool = False,
) -> tuple[ApiToken, str]:
    """Make a token that speaks for a user.

    Args:
        days: until it expires.

    Returns:
        The token and its text "<prefix>.<secret>", which is kept nowhere.
    """
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=prefix,
        secret_hash=digest(secret),
        can_write=can_write,
        expires_at=timezone.now() + timedelta(days=days),
    )
    audit.record(
        actor,
        "apitoken.create",
        token,
        changes=audit.changed({}, audit.snapshot(token)),
    )
    return token, f"{prefix}.{secret}"


@transaction.atomic
def revoke_token(*, actor: Actor, instance: models.Model) -> None:
    """End a token now; a token that is revoked stays so."""
    now = timezone.now()
    rows = ApiToken.objects.filter(pk=instance.pk, revoked_at=None)
    if rows.update(revoked_at=now, updated_at=now):
        change = {"field": "revoked_at", "old": None, "new": now.isoformat()}
        audit.record(actor, "apitoken.revoke", instance, changes=[change])


# ---- Set-up


@transaction.atomic
def ensure_first_administrator() -> dict[str, str | None]:
    """Make the user "admin" where there is no administrator yet.

    Returns:
        {"username", "password"}; the password only when it was made here by chance: nobody can read it again.

    Raises:
        DomainError: ADMINSET_ADMIN_PASSWORD is too weak, or a user "admin" exists who is no administrator.
    """
    standing = (
        User.objects.filter(is_superuser=True).order_by("-is_active", "pk").first()
    )
    if standing is not None:
        return {"username": standing.username, "password": None}
    if User.objects.filter(username="admin").exists():
        raise Conflict(
            _("The user admin exists but is no administrator, and there is no other."),
            _("Rename that user, then start again."),
        )
    chosen = env.text("ADMINSET_ADMIN_PASSWORD")
    user = User(username="admin", is_superuser=True)
    if chosen:
        check_password(password=chosen, user=user)
    password = chosen or secrets.token_urlsafe(12)
    user.set_password(password)
    user.save()
    audit.record(
        SETUP, "user.create", user, changes=audit.changed({}, audit.snapshot(user))
    )
    return {"username": user.username, "password": None if chosen else password}


@transaction.atomic
def ensure_shipped_roles() -> None:
    """Make the shipped roles, and offer them what rooms have brought since; what people took away stays away."""
    rows = {
        f"{p.content_type.app_label}.{p.codename}": p
        for p in selectors.room_permissions()
    }
    for role in shipped.ROLES:
        wanted = {n for n in rows if any(fnmatchcase(n, p) for p in role.patterns)}
        _offer(role, {name: rows[name] for name in sorted(wanted)})


def _offer(declared: shipped.ShippedRole, wanted: dict[str, Any]) -> None:
    role = Role.objects.filter(shipped=declared.key).first()
    if role is None:
        if Role.objects.filter(name=declared.key).exists():
            return  # somebody made a role of that name: it is theirs
        role = Role(
            name=declared.key, description=declared.description, shipped=declared.key
        )
    new = [name for name in wanted if name not in role.offered]
    if new:
        role.offered = sorted({*role.offered, *new})
        role.save()
        role.permissions.add(*(wanted[name] for name in new))
        changes = [{"field": "permissions", "old": [], "new": new}]
        audit.record(SETUP, "role.offer", role, changes=changes)
