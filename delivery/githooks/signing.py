"""Whether a message is the git host's: by the raw body, before anything of it is read, and in constant time."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from django.conf import settings

from delivery.models import GitHook
from tasks.hooks import signing
from tasks.hooks.signing import Signed

Kind = GitHook.Kind
LONGEST_HEADER = 1000
LONGEST_TIME = 15
EVENTS = {Kind.GOGS: "X-Gogs-Event", Kind.GITEE: "X-Gitee-Event"}


def check(
    hook: GitHook | None, headers: Mapping[str, str], body: bytes
) -> Signed | None:
    """Give what the headers say where the signature is right; None for any other message, and for no web-hook.

    A web-hook that there is not costs as much as a wrong signature. GitHub, GitLab and Gitea are the task centre's.
    """
    if hook is None or hook.kind not in EVENTS:
        return signing.check(hook, headers, body)  # type: ignore[arg-type]
    sealed: Any = hook.secret
    secret = sealed.reveal().encode()
    if hook.kind == Kind.GOGS:
        mark = _gogs(secret, _given(headers, "X-Gogs-Signature"), body)
        delivery = _line(_given(headers, "X-Gogs-Delivery"), 200)
    else:
        mark, delivery = _gitee(secret, headers, body), ""
    if mark is None:
        return None
    event = _line(_given(headers, EVENTS[Kind(hook.kind)]), 80)
    if hook.kind == Kind.GITEE and _given(headers, "X-Gitee-Ping").lower() == "true":
        event = "ping"
    marks = [mark, *([f"delivery {delivery}"] if delivery else [])]
    return Signed(event, delivery, tuple(_sha(one.encode()) for one in marks))


def _gogs(secret: bytes, given: str, body: bytes) -> str | None:
    right = hmac.new(secret, body, hashlib.sha256).hexdigest()
    return f"signed {_sha(body)}" if _same(given.lower(), right) else None


def _gitee(secret: bytes, headers: Mapping[str, str], body: bytes) -> str | None:
    """Judge Gitee's two ways: the password itself, or a signature of the time.

    The signature says nothing of the body, so each one is taken once, whatever body comes with it.
    """
    given, moment = (
        _given(headers, "X-Gitee-Token"),
        _given(headers, "X-Gitee-Timestamp"),
    )
    signed = hmac.new(secret, f"{moment}\n".encode() + secret, hashlib.sha256)
    right = base64.b64encode(signed.digest()).decode()
    fits = _same(unquote(given), right) | _same(given, right)
    if fits:
        return f"signed at {moment}" if _in_time(moment) else None
    return f"signed {_sha(body)}" if _same(given, secret.decode()) else None


def _in_time(moment: str) -> bool:
    if not moment.isascii() or not moment.isdecimal() or len(moment) > LONGEST_TIME:
        return False
    return abs(time.time() - int(moment) / 1000) <= settings.HOOK_SKEW_SECONDS


def _given(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name, "")[:LONGEST_HEADER]


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(
        given.encode("utf-8", "replace"), right.encode("utf-8", "replace")
    )


def _sha(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def _line(text: str, most: int) -> str:
    """Give a header as it may be kept and shown: one line of signs that can be seen."""
    return "".join(sign for sign in text if sign.isprintable())[:most]
