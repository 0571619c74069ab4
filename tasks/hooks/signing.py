"""Whether a message is the sender's: by the raw body, before anything of it is read, and in constant time."""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from tasks.models import InHook

Kind = InHook.Kind
# "t=1767225600,v1=<hexadecimal>": what our own web-hooks send, the time is signed with the body.
TIMED = re.compile(r"t=(\d{1,12}),v1=([0-9a-fA-F]{64})")
PLAIN = re.compile(r"(?:sha256=)?([0-9a-fA-F]{64})")
SIGNATURE_HEADERS = {
    Kind.GITHUB: "X-Hub-Signature-256",
    Kind.GITLAB: "X-Gitlab-Token",
    Kind.GITEA: "X-Gitea-Signature",
}
EVENT_HEADERS = {
    Kind.GENERIC: "X-AdminSet-Event",
    Kind.GITHUB: "X-GitHub-Event",
    Kind.GITLAB: "X-Gitlab-Event",
    Kind.GITEA: "X-Gitea-Event",
}
DELIVERY_HEADERS = {
    Kind.GENERIC: "X-AdminSet-Delivery",
    Kind.GITHUB: "X-GitHub-Delivery",
    Kind.GITLAB: "X-Gitlab-Event-UUID",
    Kind.GITEA: "X-Gitea-Delivery",
}
PINGS = {"ping", "webhook.test"}
LONGEST_HEADER = 1000


@dataclass(frozen=True)
class Signed:
    """What the headers of a genuine message say.

    Attributes:
        signs: hashes by which it is known again: the delivery's id, and what was signed.
    """

    event: str
    delivery: str
    signs: tuple[str, ...]

    @property
    def is_ping(self) -> bool:
        """Whether the sender only tries whether somebody listens."""
        return self.event.lower() in PINGS


def check(
    hook: InHook | None, headers: Mapping[str, str], body: bytes
) -> Signed | None:
    """Give what the headers say where the signature is right; None for any other message, and for no hook.

    A hook that there is not costs as much as a wrong signature.
    """
    if hook is None or not hook.secret:
        _hmac(b"nobody", body)
        return None
    kind = Kind(hook.kind)
    sealed: Any = hook.secret
    secret = sealed.reveal().encode()
    header = SIGNATURE_HEADERS.get(kind) or hook.header
    given = headers.get(header, "")[:LONGEST_HEADER]
    signed = _signed(kind, secret, given, body)
    if signed is None:
        return None
    delivery = _line(headers.get(DELIVERY_HEADERS[kind], ""), 200)
    marks = [f"signed {signed}", *([f"delivery {delivery}"] if delivery else [])]
    return Signed(
        _line(headers.get(EVENT_HEADERS[kind], ""), 80),
        delivery,
        tuple(hashlib.sha256(mark.encode()).hexdigest() for mark in marks),
    )


def _signed(kind: str, secret: bytes, given: str, body: bytes) -> str | None:
    """Give what was signed, in short; None where the signature is wrong or too old."""
    digest = hashlib.sha256(body).hexdigest()
    if kind == Kind.GITLAB:
        # It sends the secret itself: nothing is signed but that it knows it.
        right = hmac.compare_digest(given.encode("utf-8", "replace"), secret)
        return digest if right else None
    timed = TIMED.fullmatch(given) if kind == Kind.GENERIC else None
    if timed:
        right = _is(timed[2], _hmac(secret, timed[1].encode() + b"." + body))
        late = abs(time.time() - int(timed[1])) > settings.HOOK_SKEW_SECONDS
        return None if late or not right else f"{int(timed[1])} {digest}"
    plain = PLAIN.fullmatch(given)
    right = _is(plain[1] if plain else "", _hmac(secret, body))
    return digest if right else None


def _hmac(secret: bytes, text: bytes) -> str:
    return hmac.new(secret, text, hashlib.sha256).hexdigest()


def _is(given: str, right: str) -> bool:
    return hmac.compare_digest(given.lower().encode(), right.encode())


def _line(text: str, most: int) -> str:
    """Give a header as it may be kept and shown: one line of signs that can be seen."""
    return "".join(sign for sign in text if sign.isprintable())[:most]
