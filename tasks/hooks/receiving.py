"""Treats a genuine message: once, for the events that are wanted, where the rules hold; what became of it is kept in words."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import SystemActor
from adminset.crud.parsing import depth_of
from adminset.errors import DomainError
from adminset.redaction import clean
from adminset.texts import is_whole
from tasks.hooks import rules
from tasks.hooks.clearing import REMEMBERED
from tasks.hooks.saving import turn_off
from tasks.hooks.signing import Signed
from tasks.hooks.starting import begin, said
from tasks.models import InHook, InHookDelivery, InHookSeen, Run
from tasks.services.vouching import ChangedError

Verdict = InHookDelivery.Verdict
RECEIVER = SystemActor("web-hook in")
EXCERPT = 2000


class _SeenError(Exception):
    """The message came before."""

    def __init__(self, delivery: InHookDelivery | None) -> None:
        super().__init__()
        self.delivery = delivery


@dataclass(frozen=True)
class Came:
    """A genuine message: its body as it came, what its headers say, from where."""

    body: bytes
    signed: Signed
    address: str = ""


def receive(hook: InHook, came: Came) -> InHookDelivery:
    """Treat a message whose signature is right; gives what became of it."""
    InHook.objects.filter(pk=hook.pk).update(last_at=timezone.now())
    if came.signed.is_ping:
        return _kept(hook, came, Verdict.PING, _("The sender tried the address."))
    wanted = hook.events
    if wanted and came.signed.event not in wanted:
        words = _("The event %(event)s is not wanted here.")
        told = words % {"event": came.signed.event or "-"}
        return _kept(hook, came, Verdict.LEFT, told)
    try:
        message = read(came.body)
        unmet = [each for each in rules.judge(hook.match, message) if not each.holds]
        if unmet:
            words = _("It does not hold that %(rule)s: found %(found)s.")
            told = words % {"rule": unmet[0].rule, "found": unmet[0].found}
            return _kept(hook, came, Verdict.LEFT, told)
        return _start(hook, came, values_of(hook, message))
    except _SeenError as seen:
        return _repeated(hook, came, seen.delivery)
    except ChangedError as error:
        turn_off(actor=RECEIVER, hook=hook, reason=said(error))
        return _kept(hook, came, Verdict.REFUSED, said(error))
    except DomainError as error:
        return _kept(hook, came, Verdict.REFUSED, said(error))


def read(body: bytes) -> Any:
    """Read the JSON of a message.

    Raises:
        DomainError: it is none, or nested too deep.
    """
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise DomainError(
            _("The body is no JSON."), _("Let the sender send application/json.")
        ) from None
    deep = depth_of(found, settings.JSON_MAX_DEPTH) > settings.JSON_MAX_DEPTH
    if deep or not is_whole(found):
        raise DomainError(_("The JSON is nested too deep, or no valid text."))
    return found


def _no_number(word: str) -> Any:
    raise ValueError(word)


def values_of(hook: InHook, message: Any) -> dict[str, Any]:
    """Take the values that the rules name.

    Raises:
        DomainError: one is missing or does not look as it should.
    """
    taken = rules.extract(hook.extract, message)
    if taken.wrong:
        raise DomainError(_("The message lacks what is needed."), fields=taken.wrong)
    return taken.values


@transaction.atomic
def _start(hook: InHook, came: Came, values: dict[str, Any]) -> InHookDelivery:
    """Start it and remember the message, both or neither: one that was refused may come again."""
    owner = hook.run_as
    if owner is None or not owner.may_sign_in:
        words = _("Its owner %(name)s cannot sign in any more.")
        raise DomainError(
            words % {"name": owner.username if owner else "-"},
            _("Save the web-hook as somebody who may."),
        )
    seen = [_remember(hook, sign) for sign in came.signed.signs]
    made = begin(owner, hook, values)
    words = _("It started %(what)s.") % {"what": made}
    kept = _kept(hook, came, Verdict.STARTED, words)
    kept.run = made if isinstance(made, Run) else None
    kept.workflow_run = None if isinstance(made, Run) else made
    kept.run_as = owner
    kept.save(update_fields=["run", "workflow_run", "run_as"])
    InHookSeen.objects.filter(pk__in=[row.pk for row in seen]).update(delivery=kept)
    told = [{"field": "started", "old": None, "new": str(made)}]
    audit.record(RECEIVER, "inhook.start", hook, changes=told)
    return kept


def _remember(hook: InHook, sign: str) -> InHookSeen:
    """Keep a sign of a message for a day.

    Raises:
        _SeenError: it is known.
    """
    rows = InHookSeen.objects.filter(hook=hook, sign=sign)
    rows.filter(at__lt=timezone.now() - REMEMBERED).delete()
    try:
        with transaction.atomic():
            return InHookSeen.objects.create(hook=hook, sign=sign)
    except IntegrityError:
        known = rows.select_related("delivery__run", "delivery__workflow_run").first()
        raise _SeenError(known.delivery if known else None) from None


def _repeated(
    hook: InHook, came: Came, before: InHookDelivery | None
) -> InHookDelivery:
    words = _("The same message came before and is not treated twice.")
    kept = _kept(hook, came, Verdict.REPEATED, words)
    if before is not None:
        kept.run, kept.workflow_run = before.run, before.workflow_run
        kept.save(update_fields=["run", "workflow_run"])
    return kept


def _kept(hook: InHook, came: Came, verdict: str, words: str) -> InHookDelivery:
    return InHookDelivery.objects.create(
        hook=hook,
        event=came.signed.event,
        delivery=clean(came.signed.delivery),
        address=came.address[:64],
        verdict=verdict,
        words=clean(words)[:2000],
        body_hash=hashlib.sha256(came.body).hexdigest(),
        excerpt=excerpt_of(came.body),
    )


def excerpt_of(body: bytes) -> str:
    """Give the beginning of a body as it may be kept: without secrets, and without signs that cannot be seen."""
    text = body[: 4 * EXCERPT].decode("utf-8", "replace")
    seen = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)
    return clean(seen)[:EXCERPT]
