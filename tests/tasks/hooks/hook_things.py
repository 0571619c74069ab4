"""Web-hooks for tests: made of a few words, called as their senders call."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import time
from typing import Any

from django.test import Client

from accounts.models import User
from tasks.models import InHook

SECRET = "a secret of sixteen signs"
_numbers = itertools.count(1)


def make_hook(owner: User, **fields: Any) -> InHook:
    """Make one."""
    name = fields.pop("name", "") or f"hook {next(_numbers)}"
    hosts = fields.pop("hosts", [])
    made = InHook.objects.create(name=name, run_as=owner, secret=SECRET, **fields)
    made.hosts.set(hosts)
    return made


def signature(body: bytes, at: float | None = None, secret: str = SECRET) -> str:
    """Sign a body, with a time where one is given."""
    text = body if at is None else b"%d." % int(at) + body
    found = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return found if at is None else f"t={int(at)},v1={found}"


def headers_of(hook: InHook, body: bytes, event: str = "", delivery: str = "") -> Any:
    """Give the headers that the sender would send."""
    plain = signature(body)
    timed = signature(body, time.time())
    signed = {
        "generic": {"X-AdminSet-Signature": timed},
        "github": {"X-Hub-Signature-256": f"sha256={plain}"},
        "gitlab": {"X-Gitlab-Token": SECRET},
        "gitea": {"X-Gitea-Signature": plain},
    }[hook.kind]
    names = {
        "generic": ("X-AdminSet-Event", "X-AdminSet-Delivery"),
        "github": ("X-GitHub-Event", "X-GitHub-Delivery"),
        "gitlab": ("X-Gitlab-Event", "X-Gitlab-Event-UUID"),
        "gitea": ("X-Gitea-Event", "X-Gitea-Delivery"),
    }[hook.kind]
    told = {names[0]: event, names[1]: delivery}
    return signed | {name: value for name, value in told.items() if value}


def call(
    hook: InHook,
    message: Any,
    *,
    event: str = "",
    delivery: str = "",
    headers: Any = None,
) -> Any:
    """Send a message; `message` as bytes goes as it is."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    given = headers_of(hook, body, event, delivery) if headers is None else headers
    return Client(raise_request_exception=True).post(
        f"/tasks/in/{hook.key}/", body, content_type="application/json", headers=given
    )
