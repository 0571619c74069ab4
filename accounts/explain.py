"""Why somebody may or may not do something: which grant decided, which would be needed, and who can give it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import selectors
from accounts.models import Grant, Role, User
from accounts.words import action_label, object_label
from adminset.querysets import Scope, may, permission_for

MOST_NAMES = 3


@dataclass(frozen=True)
class Verdict:
    """One reason for or against: `holds` says which; `url` leads to the grant, "" where there is none to see."""

    holds: bool
    sentence: str
    url: str = ""


@dataclass(frozen=True)
class Decision:
    """The answer to "may X do Y on Z".

    Attributes:
        allowed: the answer that every page and endpoint would give.
        permission, words: what was asked ("cmdb.run_host"), and in words ("Assets: host / run work on it").
        user, target: who, and on what ("" for anything at all).
        verdicts: what decided, or what stands against it.
        roles: names of roles that hold the permission.
        grantors, more_grantors: some who could grant it, and how many others.
    """

    allowed: bool
    permission: str
    words: str
    user: str
    target: str
    verdicts: list[Verdict] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    grantors: list[str] = field(default_factory=list)
    more_grantors: int = 0


def explain(
    asker: User, user: User, permission: str, row: models.Model | None = None
) -> Decision:
    """Say whether `user` may do what `permission` names, on `row` or anywhere, and why.

    Args:
        asker: who reads the answer: sees only the names of roles and objects that he may see.
        permission: "cmdb.run_host"; with a row it must be one about rows of that model.

    Raises:
        ValueError: the permission is not about rows of this model.
    """
    action = permission.partition(".")[2].removesuffix(
        f"_{row._meta.model_name}" if row is not None else ""
    )
    if row is not None and permission != permission_for(type(row), action):
        raise ValueError(permission)
    allowed = user.has_perm(permission) if row is None else may(user, action, row)
    verdicts = list(_of_person(user))
    verdicts += _of_grants(asker, user, permission, row, action)
    verdicts += _of_token(user, permission)
    decided = any(verdict.holds for verdict in verdicts)
    if allowed and not decided:
        verdicts.append(Verdict(True, _("It is the user's own.")))
    names, more = grantors(permission)
    return Decision(
        allowed=allowed,
        permission=permission,
        words=words_of(permission),
        user=str(user),
        target="" if row is None else str(row),
        verdicts=verdicts,
        roles=_roles_with(asker, permission),
        grantors=names,
        more_grantors=more,
    )


def words_of(permission: str) -> str:
    """Say a permission in words; one that does not exist stays as it is."""
    label, _dot, codename = permission.partition(".")
    rows = selectors.room_permissions().filter(
        content_type__app_label=label, codename=codename
    )
    found = rows.first()
    if found is None:
        return permission
    return f"{object_label(found)} / {action_label(found)}"


def _of_person(user: User) -> Iterator[Verdict]:
    if not user.is_active:
        yield Verdict(False, _("The account is stopped."))
    elif not user.may_sign_in:
        yield Verdict(False, _("The account has expired."))
    elif user.is_superuser:
        yield Verdict(True, _("An administrator may do everything."))


def _of_token(user: User, permission: str) -> Iterator[Verdict]:
    token = user.token
    if token is None or token.is_unlimited:
        return
    everywhere = Scope(everything=True)
    if not token.narrow(permission, everywhere):
        yield Verdict(False, _("The API token that speaks does not hold it."))
    elif token.scope_ids:
        yield Verdict(False, _("The API token that speaks is limited to some objects."))


def _of_grants(
    asker: User, user: User, permission: str, row: models.Model | None, action: str
) -> list[Verdict]:
    grants = user.grants.select_related("role").prefetch_related(
        "scopes", "role__permissions__content_type"
    )
    names = selectors.scope_names(asker)
    found = []
    for grant in grants:
        if permission not in grant.role.permission_names:
            continue
        holds, why = _judge(grant, row, action, selectors.places(grant, names))
        sentence = _("The grant of the role %(role)s %(why)s.") % {
            "role": grant.role,
            "why": why,
        }
        url = reverse("accounts:grant_detail", args=[grant.pk])
        seen = may(asker, "view", grant)
        found.append(Verdict(holds and user.may_sign_in, sentence, url if seen else ""))
    if not found:
        found.append(Verdict(False, _("No role of the user's holds this permission.")))
    return found


def _judge(
    grant: Grant, row: models.Model | None, action: str, places: list[str]
) -> tuple[bool, str]:
    now = timezone.now()
    if grant.valid_from and grant.valid_from > now:
        return False, _("begins later")
    if grant.valid_until and grant.valid_until <= now:
        return False, _("has ended")
    scope = Scope(
        grant.everything,
        {kind: frozenset(ids) for kind, ids in grant.scope_ids.items()},
    )
    if not scope:
        return False, _("holds nowhere: no object is chosen")
    if scope.everything:
        return True, _("holds everywhere")
    listed = ", ".join(places)
    if row is None:
        return True, _("holds on %(places)s") % {"places": listed}
    reached = type(row)._default_manager.all().within(scope, action)  # type: ignore[attr-defined]
    if reached.filter(pk=row.pk).exists():
        return True, _("holds on %(places)s, which leads here") % {"places": listed}
    return False, _("holds on %(places)s, which does not lead here") % {
        "places": listed
    }


def _roles_with(asker: User, permission: str) -> list[str]:
    label, _dot, codename = permission.partition(".")
    roles = Role.objects.visible_to(asker).filter(
        permissions__codename=codename, permissions__content_type__app_label=label
    )
    return list(roles.distinct().values_list("name", flat=True))


def grantors(permission: str) -> tuple[list[str], int]:
    """Name some who can grant a permission, and count the others: administrators, and who holds it and grants everywhere."""
    held = Permission.objects.all()
    label, _dot, codename = permission.partition(".")
    holders = _everywhere(held.filter(codename=codename, content_type__app_label=label))
    givers = _everywhere(
        held.filter(codename="add_grant", content_type__app_label="accounts")
    )
    people = User.objects.active().filter(
        Q(is_superuser=True) | Q(pk__in=holders) & Q(pk__in=givers),
        kind=User.Kind.PERSON,
    )
    names = list(
        people.order_by("-is_superuser", "username").values_list("username", flat=True)
    )
    return names[:MOST_NAMES], max(0, len(names) - MOST_NAMES)


def _everywhere(permissions: models.QuerySet[Permission]) -> models.QuerySet:
    grants = Grant.objects.holding().filter(
        everything=True, role__permissions__in=permissions
    )
    return grants.values("user_id")


def refusal(user: Any, permission: str) -> dict[str, Any]:
    """Say to somebody who was refused what is missing and who can give it: for the 403 page and the API."""
    names, more = grantors(permission)
    url = reverse("accounts:explain", query={"permission": permission})
    return {
        "words": words_of(permission),
        "grantors": names,
        "more": more,
        "url": url if getattr(user, "is_authenticated", False) else "",
    }
