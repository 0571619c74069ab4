"""Puts changes into the outbox of web-hooks, in the transaction of the change itself: what is committed will be told."""

import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import redis
from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError

from adminset import webhook_chats, webhook_subjects
from adminset.models import AuditEntry
from adminset.webhook_models import WebHook, WebHookDelivery

logger = logging.getLogger(__name__)

# Each process looks at the list of web-hooks this often, not at every change.
REMEMBER_SECONDS = 5.0
LARGEST_BODY = 256 * 1024
BATCH = 500
# A worker is called at most once in so many seconds; the schedule finds what is left.
CALL_SECONDS = 1
PLAIN = {"create": "create", "discover": "create", "delete": "delete"}


@dataclass(frozen=True)
class Wanted:
    """What one web-hook is told, and how: of these projects only, where there are some."""

    pk: int
    format: str
    kinds: frozenset[str]
    verbs: frozenset[str]
    projects: frozenset[int]

    def wants(self, entry: AuditEntry) -> bool:
        """Whether it is told of a line, of whatever project."""
        return entry.target_type in self.kinds and what(entry) in self.verbs

    def is_near(self, entry: AuditEntry, subject: webhook_subjects.Subject) -> bool:
        """Whether a line is of its projects; what belongs to none is."""
        if not self.projects or entry.target_type not in webhook_subjects.FINDERS:
            return True
        return bool(self.projects & subject.projects)


_kept: tuple[float, list[Wanted]] | None = None


def note(entries: Iterable[AuditEntry]) -> None:
    """Write down whom to tell of lines of the trail; call it where the lines are written."""
    hooks = _hooks()
    if not hooks:
        return
    pairs = [(hook, entry) for entry in entries for hook in hooks if hook.wants(entry)]
    made = _made(pairs)
    if made:
        WebHookDelivery.objects.bulk_create(made, batch_size=BATCH)
        for pk in {each.hook_id for each in made}:
            transaction.on_commit(partial(call_worker, pk))


def _made(pairs: list[tuple[Wanted, AuditEntry]]) -> list[WebHookDelivery]:
    """Write the messages of some lines, each for its web-hook."""
    generic = WebHook.Format.GENERIC
    asked = [entry for hook, entry in pairs if hook.projects or hook.format != generic]
    subjects = webhook_subjects.subjects_of(asked) if asked else {}
    made = []
    for hook, entry in pairs:
        key = (entry.target_type, entry.target_id)
        subject = subjects.get(key, webhook_subjects.NOTHING)
        if not hook.is_near(entry, subject):
            continue
        body = (
            body_of(entry)
            if hook.format == generic
            else webhook_chats.chat_body(entry, subject, hook.format)
        )
        told = {"event": entry.verb, "target": entry.target_name, "body": body}
        made.append(WebHookDelivery(hook_id=hook.pk, **told))
    return made


def what(entry: AuditEntry) -> str:
    """Say in a word of WebHook.What what happened."""
    word = entry.verb.rpartition(".")[2]
    if word in PLAIN:
        return PLAIN[word]
    first = entry.changes[0] if entry.changes else {}
    if first.get("field") == "id":
        # An import or a revert, by which the object came or went.
        return "create" if first.get("old") is None else "delete"
    return "update" if entry.target_id and entry.changes else "other"


def body_of(entry: AuditEntry) -> str:
    """Write the message: names, ids, and of each field what it was and is; the trail has masked every secret already."""
    told: dict[str, Any] = {
        "event": entry.verb,
        "what": what(entry),
        "at": entry.at.isoformat(),
        "actor": {"kind": entry.actor_kind, "name": entry.actor_name},
        "object": {
            "type": entry.target_type,
            "id": entry.target_id,
            "name": entry.target_name,
        },
        "changes": entry.changes,
        "reason": entry.reason,
        "request": entry.request_id,
    }
    body = json.dumps(told, ensure_ascii=False)
    if len(body.encode()) > LARGEST_BODY:
        told |= {"changes": [], "changes_left_out": len(entry.changes)}
        body = json.dumps(told, ensure_ascii=False)
    return body


def call_worker(hook: int) -> None:
    """Have a worker send what is due; without one the schedule does (adminset/tasks.py)."""
    try:
        if cache.add(f"webhook:called:{hook}", 1, CALL_SECONDS):
            current_app.send_task("adminset.send_webhook", [hook])
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("messages of web-hooks wait for the schedule: %s", error)


def _hooks() -> list[Wanted]:
    global _kept
    now = time.monotonic()
    if _kept is None or now >= _kept[0]:
        rows = WebHook.objects.filter(active=True).order_by("pk")
        names = ("pk", "format", "kinds", "verbs", "projects")
        found = [
            Wanted(pk, to, *map(frozenset, lists))
            for pk, to, *lists in rows.values_list(*names)
        ]
        _kept = (now + REMEMBER_SECONDS, found)
    return _kept[1]


def forget() -> None:
    """Look anew at the next change: a web-hook was written."""
    global _kept
    _kept = None
