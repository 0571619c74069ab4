"""`Idempotency-Key`: a request that is sent again because its answer was lost does not start a second run."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from adminset.crypto import digest
from adminset.errors import Conflict, DomainError, Unavailable
from tasks.models import RepeatedRequest

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST = 200
REMEMBERED = timedelta(days=1)


def once(request: Request, begin: Callable[[], int]) -> tuple[int, bool]:
    """Do something once for a key, and give (its number, whether it was done before).

    The key is kept with what was done, in one transaction: a request that failed may be sent again with the same key.

    Args:
        begin: does it, and gives the number of what it made.

    Raises:
        DomainError: the key cannot be one. Conflict: the same key came with another request. Unavailable: the same
            request is being treated.
        Whatever `begin` raises.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        return begin(), False
    _check(key)
    sealed = digest(f"{_who(request)}\n{key}")
    body = digest(f"{request.method} {request.path}\n{_canonical(request.data)}")
    rows = RepeatedRequest.objects.filter(key_hash=sealed)
    rows.filter(at__lt=timezone.now() - REMEMBERED).delete()
    if not rows.exists():
        made = _first(sealed, body, begin)
        if made is not None:
            return made, False
    return _again(rows.get(), body), True


def _check(key: str) -> None:
    if len(key) > LONGEST or not (key.isascii() and key.isprintable()):
        raise DomainError(
            _("This %(header)s cannot be one.") % {"header": HEADER},
            _("Send up to %(most)s plain characters, best a UUID.") % {"most": LONGEST},
            code="bad_idempotency_key",
            status=400,
        )


def _first(sealed: str, body: str, begin: Callable[[], int]) -> int | None:
    """Do it; None where another request with the same key was quicker."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                row = RepeatedRequest.objects.create(key_hash=sealed, body_hash=body)
        except IntegrityError:
            return None
        made = begin()
        RepeatedRequest.objects.filter(pk=row.pk).update(made=made)
        return made


def _again(row: RepeatedRequest, body: str) -> int:
    if row.body_hash != body:
        raise Conflict(
            _("This %(header)s came with another request.") % {"header": HEADER},
            _("Take a new key for each thing that you start."),
            code="idempotency_mismatch",
        )
    if row.made is None:
        raise Unavailable(
            _("The same request is being treated at this moment."),
            _("Send it again in a moment."),
            code="in_progress",
            retry_after=1,
        )
    return row.made


def _who(request: Request) -> str:
    return f"{request.user.pk} {getattr(request.auth, 'pk', 0) or 0}"


def _canonical(data: Any) -> str:
    return json.dumps(data, sort_keys=True, default=str)
