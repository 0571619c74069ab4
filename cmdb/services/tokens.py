"""Enrolment tokens: made, checked, used up, revoked. Kept as a hash; the secret is given once."""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.crypto import digest, digest_matches
from adminset.errors import DomainError
from cmdb.models import EnrolmentToken, HostGroup

WRONG_TOKEN = "Post forbidden, your token error!!"  # noqa: S105 - the seeds' words
MOST_DAYS = 366


@transaction.atomic
def create_enrolment_token(  # noqa: PLR0913 - the token's fields, each by its name
    *,
    actor: Actor,
    name: str,
    use_limit: int = 1,
    days: float = 1,
    group: HostGroup | None = None,
    networks: Sequence[str] = (),
    needs_approval: bool = False,
) -> tuple[EnrolmentToken, str]:
    """Make a token; gives it and its text "<prefix>.<secret>", which nobody can read again.

    Args:
        use_limit: how many agents it lets in.
        days: how long it is good for; a fraction for hours.
        group: hosts that enrol with it are put there.
        networks: it lets in agents from these only ("10.1.0.0/16"); none: from anywhere.
        needs_approval: agents wait until somebody lets them in.
    """
    secret = secrets.token_urlsafe(32)
    token = EnrolmentToken.objects.create(
        name=name,
        prefix=secrets.token_hex(6),
        secret_hash=digest(secret),
        use_limit=use_limit,
        expires_at=timezone.now() + timedelta(days=min(days, MOST_DAYS)),
        group=group,
        networks=list(networks),
        needs_approval=needs_approval,
    )
    changes: list[audit.Change] = [
        {"field": "use_limit", "old": None, "new": use_limit},
        {"field": "expires_at", "old": None, "new": token.expires_at.isoformat()},
        {"field": "group", "old": None, "new": str(group) if group else None},
        {"field": "networks", "old": None, "new": list(networks)},
        {"field": "needs_approval", "old": None, "new": needs_approval},
    ]
    audit.record(actor, "enrolmenttoken.create", token, changes=changes)
    return token, f"{token.prefix}.{secret}"


@transaction.atomic
def revoke_enrolment_token(*, actor: Actor, token: EnrolmentToken) -> None:
    """End a token; agents that it let in stay."""
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at", "updated_at"])
        audit.record(actor, "enrolmenttoken.revoke", token)


def check(plain: str) -> None:
    """Refuse a text that is no token's, before anything else of a request is looked at; holds no row.

    Raises:
        DomainError: as `find`.
    """
    _matching(EnrolmentToken.objects.all(), plain)


def find(plain: str) -> EnrolmentToken:
    """Give the token of a text, usable or not, and hold its row until the transaction ends.

    Raises:
        DomainError: 401 there is none; 403 the secret is wrong.
    """
    # The row alone: PostgreSQL locks no outer join, and MariaDB knows no OF.
    return _matching(EnrolmentToken.objects.select_for_update(), plain)


def _matching(rows: models.QuerySet[EnrolmentToken], plain: str) -> EnrolmentToken:
    prefix, _dot, secret = plain.partition(".")
    token = rows.filter(prefix=prefix).first() if prefix.isalnum() else None
    if token is None:
        raise _unusable()
    if not digest_matches(secret, token.secret_hash):
        raise DomainError(WRONG_TOKEN, code="wrong_token", status=403)
    return token


def use(token: EnrolmentToken) -> None:
    """Count one use, if one is left.

    Raises:
        DomainError: 401 it is used up, expired or revoked.
    """
    rows = EnrolmentToken.objects.usable().filter(pk=token.pk)
    if not rows.update(used_count=models.F("used_count") + 1):
        raise _unusable()


def _unusable() -> DomainError:
    return DomainError(
        _("This enrolment token is unknown, used up, expired or revoked."),
        _("Make a new one on the page of enrolment tokens."),
        code="bad_enrolment_token",
        status=401,
    )
