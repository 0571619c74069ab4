"""The work at a plan: one worker holds it at a time, says how far it is, and leaves word when it fails."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone, translation

from adminset import redis_door
from adminset.import_models import LOST_SECONDS, ImportPlan

State = ImportPlan.State


@dataclass
class Work:
    """What one worker does at one plan."""

    plan: ImportPlan
    claim: str

    def say(self, done: int) -> None:
        """Say how many rows are done; it is the sign of life as well."""
        text = f"{self.claim} {done}"
        redis_door.note(f"import:{self.plan.pk}", text, LOST_SECONDS)

    def end(self, state: str, **fields: object) -> bool:
        """Leave the plan in a state; False where another worker has taken over meanwhile."""
        held = ImportPlan.objects.filter(pk=self.plan.pk, claim=self.claim)
        return bool(held.update(state=state, claim="", **fields))


def done_of(plan: ImportPlan) -> int | None:
    """Say how many rows of an open plan are done; None when nobody gives a sign of life."""
    claim, _blank, done = redis_door.noted(f"import:{plan.pk}").partition(" ")
    return int(done) if claim == plan.claim and done.isdecimal() else None


def is_lost(plan: ImportPlan) -> bool:
    """Say whether whoever was to work at it is gone: what was begun has been rolled back."""
    return plan.is_silent and done_of(plan) is None


def take(pk: int, begun: str, *allowed: str) -> Work | None:
    """Take a plan in hand; None where another worker has it, or it is not in such a state any more."""
    claim = secrets.token_hex(16)
    changed = ImportPlan.objects.filter(pk=pk, state__in=allowed).update(
        state=begun, claim=claim, claimed_at=timezone.now(), message=""
    )
    if not changed:
        return None
    work = Work(ImportPlan.objects.select_related("owner").get(pk=pk), claim)
    work.say(0)
    return work


@contextmanager
def speaking_to_owner(plan: ImportPlan) -> Iterator[None]:
    """Speak the owner's language and count in his or her time zone: a worker has no request that says them."""
    language = plan.language or settings.LANGUAGE_CODE
    zone = getattr(plan.owner, "time_zone", "") or settings.TIME_ZONE
    try:
        local = ZoneInfo(zone)
    except (ValueError, OSError):
        local = ZoneInfo(settings.TIME_ZONE)
    with translation.override(language), timezone.override(local):
        yield
