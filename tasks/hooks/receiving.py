"""Treats a genuine message: once, for the events that are wanted, where the rules hold; what became of it is kept in words."""

import json
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import SystemActor
from adminset.crud.parsing import depth_of
from adminset.errors import DomainError
from adminset.texts import is_whole
from tasks.hooks import rules
from tasks.hooks.once import Came, SeenError, came_before, join, kept, remember
from tasks.hooks.saving import turn_off
from tasks.hooks.starting import begin, said
from tasks.models import InHook, InHookDelivery, Run
from tasks.services.vouching import ChangedError

Verdict = InHookDelivery.Verdict
RECEIVER = SystemActor("web-hook in")


def receive(hook: InHook, came: Came) -> InHookDelivery:
    """Treat a message whose signature is right; gives what became of it."""
    InHook.objects.filter(pk=hook.pk).update(last_at=timezone.now())
    if came.signed.is_ping:
        return kept(hook, came, Verdict.PING, _("The sender tried the address."))
    wanted = hook.events
    if wanted and came.signed.event not in wanted:
        words = _("The event %(event)s is not wanted here.")
        told = words % {"event": came.signed.event or "-"}
        return kept(hook, came, Verdict.LEFT, told)
    try:
        message = read(came.body)
        unmet = [each for each in rules.judge(hook.match, message) if not each.holds]
        if unmet:
            words = _("It does not hold that %(rule)s: found %(found)s.")
            told = words % {"rule": unmet[0].rule, "found": unmet[0].found}
            return kept(hook, came, Verdict.LEFT, told)
        return _start(hook, came, values_of(hook, message))
    except SeenError as seen:
        return _repeated(hook, came, seen.delivery)
    except ChangedError as error:
        turn_off(actor=RECEIVER, hook=hook, reason=said(error))
        return kept(hook, came, Verdict.REFUSED, said(error))
    except DomainError as error:
        return kept(hook, came, Verdict.REFUSED, said(error))


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
    seen = remember(hook, came.signed.signs)
    made = begin(owner, hook, values)
    words = _("It started %(what)s.") % {"what": made}
    of_hosts = isinstance(made, Run)
    started = kept(
        hook,
        came,
        Verdict.STARTED,
        words,
        run=made if of_hosts else None,
        workflow_run=None if of_hosts else made,
        run_as=owner,
    )
    join(hook, seen, started)
    told = [{"field": "started", "old": None, "new": str(made)}]
    audit.record(RECEIVER, "inhook.start", hook, changes=told)
    return started


def _repeated(
    hook: InHook, came: Came, before: InHookDelivery | None
) -> InHookDelivery:
    """Keep it beside what the first one of its kind started."""
    made: dict[str, Any] = {}
    if before is not None:
        made = {"run": before.run, "workflow_run": before.workflow_run}
    return kept(hook, came, Verdict.REPEATED, came_before(), **made)
