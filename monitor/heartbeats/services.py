"""What heartbeats do: take a sign, get a new key, follow their schedule."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.crud.forms import ResourceForm
from monitor.checks import flips
from monitor.checks.services import set_enabled
from monitor.heartbeat_models import digest_of, new_key
from monitor.models import Heartbeat, State

__all__ = ["Sign", "rotate_key", "save_heartbeat", "set_enabled", "take"]


@dataclass(frozen=True)
class Sign:
    """What a job says: "start", or that it is done, with its exit code (0: well) or a plain failure."""

    kind: str
    exit_code: int | None = None
    body: bytes = b""

    @property
    def failed(self) -> bool:
        """Whether it says that it failed."""
        return self.kind == "fail" or bool(self.exit_code)


def take(key: str, sign: Sign) -> bool:
    """Take a sign; False: there is no heartbeat of this key."""
    now = timezone.now()
    with transaction.atomic():
        rows = Heartbeat.objects.filter(key_digest=digest_of(key))
        heartbeat = rows.select_for_update().first()
        if heartbeat is None:
            return False
        one = Heartbeat.objects.filter(pk=heartbeat.pk)
        if sign.kind == "start":
            one.update(started_at=now)
            return True
        one.update(
            last_ping_at=now,
            pings=F("pings") + 1,
            last_body=text_of(sign.body),
            last_duration_ms=_duration(heartbeat, now),
            started_at=None,
        )
        if heartbeat.enabled:
            _move(heartbeat, sign, now)
    return True


def _duration(heartbeat: Heartbeat, now: datetime) -> int | None:
    if heartbeat.started_at is None:
        return None
    return max(int((now - heartbeat.started_at).total_seconds() * 1000), 0)


def _move(heartbeat: Heartbeat, sign: Sign, now: datetime) -> None:
    new, words, after = State.UP, _("It was on time."), heartbeat.due_after(now)
    if sign.failed:
        new, after = State.DOWN, None
        words = _("It said that it failed.")
        if sign.exit_code:
            words = _("It failed with exit code %(code)s.") % {"code": sign.exit_code}
    elif heartbeat.state in (State.DOWN, State.DEGRADED):
        words = _("It gave a sign again.")
    if heartbeat.state == new:
        Heartbeat.objects.filter(pk=heartbeat.pk).update(
            alert_after=after, sentence=words
        )
    else:
        flips.force(
            Heartbeat, heartbeat.pk, new, sentence=words, at=now, alert_after=after
        )


def text_of(body: bytes) -> str:
    """Read what a job sent as text that any database and page takes: whoever sent it is not trusted."""
    text = body[: settings.HEARTBEAT_BODY_BYTES].decode("utf-8", "replace")
    return "".join(
        c
        for c in text.replace("\r\n", "\n")
        if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co"}
    )


def save_heartbeat(*, actor: Actor, form: ResourceForm) -> models.Model:
    """Save a heartbeat: a new one gets its key, one with another schedule is expected by that from its last sign on."""
    heartbeat: Heartbeat = form.instance
    if heartbeat._state.adding:
        key = new_key()
        heartbeat.key, heartbeat.key_digest = key, digest_of(key)
        heartbeat.sentence = _("It waits for the first sign.")
        if not heartbeat.enabled:
            heartbeat.state = State.PAUSED
        return crud.save(actor=actor, form=form)
    enabled = heartbeat.enabled
    with transaction.atomic():
        saved = crud.save(actor=actor, form=form)
        if "enabled" in form.changed_data:
            new = State.UNKNOWN if enabled else State.PAUSED
            words = _("It waits for the next sign.") if enabled else _("It is paused.")
            now = timezone.now()
            flips.force(
                Heartbeat, heartbeat.pk, new, sentence=words, at=now, alert_after=None
            )
        elif {"period_seconds", "crontab", "time_zone"} & set(form.changed_data):
            _expect_anew(heartbeat.pk)
    return saved


def _expect_anew(pk: int) -> None:
    """Work out when the next sign is due by the new schedule; what was late by the old one may be on time."""
    now = timezone.now()
    fresh = Heartbeat.objects.select_for_update().get(pk=pk)
    if fresh.last_ping_at is None or fresh.state not in (State.UP, State.DEGRADED):
        return
    due = fresh.due_after(fresh.last_ping_at)
    words = _("Its schedule was changed.")
    flips.force(Heartbeat, pk, State.UP, sentence=words, at=now, alert_after=due)


def rotate_key(*, actor: Actor, heartbeat: Heartbeat) -> None:
    """Give a heartbeat a new key; the old one is nobody's from now on."""
    key = new_key()
    values: dict[str, Any] = {"key": key, "key_digest": digest_of(key)}
    with transaction.atomic():
        Heartbeat.objects.filter(pk=heartbeat.pk).update(**values)
        change = {"field": "key", "old": audit.MASK, "new": audit.MASK}
        audit.record(actor, "heartbeat.rotate", heartbeat, changes=[change])
