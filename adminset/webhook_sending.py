"""Sends the messages of web-hooks: signed, one after the other, again with growing pauses, and not for ever."""

import hashlib
import hmac
import random
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from adminset import audit, outbound, webhook_chats
from adminset.audit import Actor, SystemActor
from adminset.errors import DomainError
from adminset.webhook_models import WebHook, WebHookDelivery
from adminset.webhook_outbox import forget

State = WebHookDelivery.State
SENDER = SystemActor("web-hooks")
FIRST_PAUSE_SECONDS = 10
LONGEST_PAUSE_SECONDS = 3600
# One call goes on for at most so long and so many; the next one goes on.
ROUND_SECONDS = 60
MOST_A_ROUND = 500
# A worker that died leaves its message to others after so long.
CLAIM_SECONDS = 120
PURGED_AT_ONCE = 5000


def due_hooks() -> list[int]:
    """Give the keys of the web-hooks that have something to send now."""
    now = timezone.now()
    rows = WebHookDelivery.objects.filter(
        state=State.WAITING, next_at__lte=now, hook__active=True
    ).exclude(hook__paused_until__gt=now)
    return sorted(set(rows.values_list("hook_id", flat=True).distinct()))


def send_due(hook_id: int) -> int:
    """Send what a web-hook has to say, the oldest first, until one fails; gives how many were sent."""
    until, sent = time.monotonic() + ROUND_SECONDS, 0
    while sent < MOST_A_ROUND and time.monotonic() < until:
        hook = WebHook.objects.filter(pk=hook_id, active=True).first()
        now = timezone.now()
        if hook is None or (hook.paused_until and hook.paused_until > now):
            break
        rows = WebHookDelivery.objects.filter(
            hook=hook, state=State.WAITING, next_at__lte=now
        )
        delivery = rows.order_by("next_at", "pk").first()
        if delivery is None or not (_claim(delivery) and attempt(hook, delivery)):
            break
        sent += 1
    return sent


def _claim(delivery: WebHookDelivery) -> bool:
    """Take a message, unless somebody else has it; whoever dies with it loses it after a while."""
    rows = WebHookDelivery.objects.filter(
        pk=delivery.pk, state=State.WAITING, tries=delivery.tries
    )
    later = timezone.now() + timedelta(seconds=CLAIM_SECONDS)
    return bool(rows.update(tries=delivery.tries + 1, next_at=later))


def attempt(hook: WebHook, delivery: WebHookDelivery) -> bool:
    """Send one message now and write down what came of it; False: it failed."""
    begun = time.monotonic()
    status, error = _post(hook, delivery)
    told: dict[str, Any] = {
        "status": status,
        "error": error[:300],
        "duration_ms": int((time.monotonic() - begun) * 1000),
    }
    delivery.refresh_from_db(fields=["tries"])
    if not error:
        told |= {"state": State.SENT, "sent_at": timezone.now()}
        WebHook.objects.filter(pk=hook.pk).update(failures=0, paused_until=None)
    elif delivery.tries >= settings.WEBHOOK_TRIES:
        told["state"] = State.FAILED
    else:
        told["next_at"] = timezone.now() + pause(delivery.tries)
    WebHookDelivery.objects.filter(pk=delivery.pk).update(**told)
    if error:
        _count_failure(hook)
    return not error


def _post(hook: Any, delivery: WebHookDelivery) -> tuple[int | None, str]:
    """Give (status of the answer, "" or what went wrong)."""
    if not hook.url.startswith("https://"):
        return None, "The address does not begin with https://."
    try:
        url, body, headers = _letter(hook, delivery)
        answer = outbound.fetch("POST", url, data=body, headers=headers)
    except DomainError as error:
        return None, str(error)
    if 200 <= answer.status < 300:
        words = webhook_chats.refusal_in(answer.body, hook.format)
        return answer.status, webhook_chats.without_address(words, hook.address)
    return answer.status, f"The receiver answered with status {answer.status}."


def _letter(hook: Any, delivery: WebHookDelivery) -> tuple[str, bytes, dict[str, str]]:
    """Give address, body and headers of a message as its receiver wants them, signed with the time of now."""
    secret, now = hook.secret.reveal() if hook.secret else "", time.time()
    headers = {"Content-Type": "application/json"}
    if hook.format == WebHook.Format.GENERIC:
        body = delivery.body.encode()
        headers |= {
            "X-AdminSet-Event": delivery.event,
            "X-AdminSet-Delivery": str(delivery.key),
            "X-AdminSet-Signature": signature(secret, int(now), body),
        }
        return hook.address, body, headers
    url = webhook_chats.signed_address(hook.address, hook.format, secret, now)
    return (
        url,
        webhook_chats.signed_body(delivery.body, hook.format, secret, now),
        headers,
    )


def signature(secret: str, at: int, body: bytes) -> str:
    """Sign a message with the time at which it is sent: "t=<Unix seconds>,v1=<HMAC-SHA256 of "<t>.<body>", hexadecimal>"."""
    signed = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256)
    return f"t={at},v1={signed.hexdigest()}"


def pause(failures: int) -> timedelta:
    """Give how long to wait after so many failures: 10 s, 20 s, 40 s ... an hour, give or take a third."""
    seconds = FIRST_PAUSE_SECONDS * 2 ** (min(failures, 20) - 1)
    share = random.uniform(0.67, 1.33)  # noqa: S311 - spreads retries, keeps no secret
    return timedelta(seconds=min(seconds, LONGEST_PAUSE_SECONDS) * share)


@transaction.atomic
def _count_failure(hook: WebHook) -> None:
    """Pause the web-hook, and switch it off where it has failed too often."""
    row = WebHook.objects.select_for_update().filter(pk=hook.pk).first()
    if row is None:
        return
    row.failures += 1
    row.paused_until = timezone.now() + pause(row.failures)
    if row.active and row.failures >= settings.WEBHOOK_MAX_FAILURES:
        row.active = False
        change = {"field": "active", "old": True, "new": False}
        audit.record(SENDER, "webhook.disable", row, changes=[change])
        transaction.on_commit(forget)
    row.save(update_fields=["failures", "paused_until", "active", "updated_at"])


def send_test(*, actor: Actor, hook: WebHook) -> WebHookDelivery:
    """Send a message that tells of nothing, now, also where the web-hook is off; gives what came of it."""
    audit.record(actor, "webhook.test", hook)
    body = '{"event": "webhook.test"}'
    if hook.format != WebHook.Format.GENERIC:
        body = webhook_chats.trial_body(hook.format)
    delivery = WebHookDelivery.objects.create(
        hook=hook, event="webhook.test", body=body, tries=1
    )
    return _try_now(hook, delivery)


def send_again(*, actor: Actor, delivery: WebHookDelivery) -> WebHookDelivery:
    """Send a message once more, now, whatever became of it; gives what came of it."""
    audit.record(actor, "webhook.resend", delivery.hook, reason=str(delivery))
    rows = WebHookDelivery.objects.filter(pk=delivery.pk)
    rows.update(
        state=State.WAITING,
        tries=1,
        next_at=timezone.now() + timedelta(seconds=CLAIM_SECONDS),
    )
    return _try_now(delivery.hook, delivery)


def _try_now(hook: WebHook, delivery: WebHookDelivery) -> WebHookDelivery:
    attempt(hook, delivery)
    if not hook.active:
        # Nobody would try it again.
        rows = WebHookDelivery.objects.filter(pk=delivery.pk, state=State.WAITING)
        rows.update(state=State.FAILED)
    delivery.refresh_from_db()
    return delivery


def purge() -> int:
    """Forget old messages, some thousands at once; gives how many."""
    before = timezone.now() - timedelta(days=settings.WEBHOOK_LOG_DAYS)
    old = WebHookDelivery.objects.filter(created_at__lt=before)
    keys = list(
        old.order_by("created_at").values_list("pk", flat=True)[:PURGED_AT_ONCE]
    )
    return WebHookDelivery.objects.filter(pk__in=keys).delete()[0] if keys else 0
