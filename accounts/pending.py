"""Between the password and the code: who is expected, kept for five minutes in a session that is nobody's yet."""

import time
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts.models import User

PENDING = "pending_sign_in"
SECONDS = 300


def begin(request: HttpRequest, *, user: User, method: str) -> None:
    """Note that a user has given the first proof; nobody is signed in by it."""
    request.session.flush()
    request.session[PENDING] = {
        "user": user.pk,
        "method": method,
        "at": time.time(),
        # A password that changes meanwhile ends it.
        "hash": user.get_session_auth_hash(),
    }


def expected(request: HttpRequest) -> tuple[User, str] | None:
    """Give (user, method) of the first proof, None when there was none or it is too old."""
    noted: dict[str, Any] = request.session.get(PENDING) or {}
    if not 0 <= time.time() - noted.get("at", 0) < SECONDS:
        return None
    user = User.objects.active().filter(pk=noted.get("user")).first()
    if user is None or not constant_time_compare(
        noted.get("hash", ""), user.get_session_auth_hash()
    ):
        return None
    return user, str(noted.get("method", ""))
