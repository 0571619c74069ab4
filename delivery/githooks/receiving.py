"""Treats a genuine message of a git host: once, where the rules hold; what became of it is kept in words."""

import hashlib
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import SystemActor
from adminset.errors import DomainError, Forbidden
from adminset.redaction import clean
from delivery.githooks.pushes import Push, is_push, push_of
from delivery.githooks.rules import why_not
from delivery.models import Deploy, GitHook, GitHookDelivery, GitHookSeen
from delivery.triggers.saving import switch_trigger
from delivery.triggers.vouching import ensure_could_deliver, ensure_vouched
from delivery.triggers.wishing import wish
from tasks.hooks.clearing import REMEMBERED
from tasks.hooks.receiving import Came, excerpt_of, read

Verdict = GitHookDelivery.Verdict
RECEIVER = SystemActor("git web-hook")


class _SeenError(Exception):
    """The message came before."""

    def __init__(self, delivery: GitHookDelivery | None) -> None:
        super().__init__()
        self.delivery = delivery


def receive(hook: GitHook, came: Came) -> GitHookDelivery:
    """Treat a message whose signature is right; gives what became of it."""
    GitHook.objects.filter(pk=hook.pk).update(last_at=timezone.now())
    if came.signed.is_ping:
        return _kept(hook, came, Verdict.PING, _("The git host tried the address."))
    if not is_push(came.signed.event):
        words = _("%(event)s is no push: nothing is delivered by it.")
        event = came.signed.event or "-"
        return _kept(hook, came, Verdict.LEFT, words % {"event": event})
    try:
        push = push_of(read(came.body))
    except DomainError as error:
        return _kept(hook, came, Verdict.REFUSED, said(error))
    problem = why_not(hook, push)
    if problem:
        return _kept(hook, came, Verdict.LEFT, problem, push)
    try:
        return _start(hook, came, push)
    except _SeenError as error:
        return _repeated(hook, came, push, error.delivery)
    except DomainError as error:
        return _refused(hook, came, push, error)


@transaction.atomic
def _start(hook: GitHook, came: Came, push: Push) -> GitHookDelivery:
    """Wish for the deploy and remember the message, both or neither."""
    owner: Any = hook.run_as
    if owner is None or not owner.may_sign_in:
        raise Forbidden(
            _("Its owner %(name)s cannot sign in any more.")
            % {"name": owner.username if owner else "-"},
            _("Save the web-hook as somebody who may."),
            code="owner_gone",
        )
    ensure_could_deliver(owner, hook)
    ensure_vouched(hook)
    seen = [_remember(hook, sign) for sign in came.signed.signs]
    words = _("Asked for a deploy of %(ref)s.") % {"ref": push.words}
    kept = _kept(hook, came, Verdict.STARTED, words, push)
    kept.request = wish(
        actor=owner,
        key=f"githook:{hook.pk}:{kept.pk}",
        pipeline=hook.pipeline,
        environment=hook.environment,
        trigger=Deploy.Trigger.HOOK,
        ref_kind=push.ref_kind,
        ref=push.name,
        reason=_("%(hook)s: push of %(ref)s") % {"hook": hook, "ref": push.words},
    )
    kept.save(update_fields=["request"])
    GitHookSeen.objects.filter(pk__in=[row.pk for row in seen]).update(delivery=kept)
    told: list[audit.Change] = [{"field": "ref", "old": None, "new": push.words}]
    audit.record(RECEIVER, "githook.start", hook, changes=told)
    return kept


def _remember(hook: GitHook, sign: str) -> GitHookSeen:
    """Keep a sign of a message for a day.

    Raises:
        _SeenError: it is known.
    """
    rows = GitHookSeen.objects.filter(hook=hook, sign=sign)
    rows.filter(at__lt=timezone.now() - REMEMBERED).delete()
    try:
        with transaction.atomic():
            return GitHookSeen.objects.create(hook=hook, sign=sign)
    except IntegrityError:
        known = rows.select_related("delivery__request").first()
        raise _SeenError(known.delivery if known else None) from None


def _repeated(
    hook: GitHook, came: Came, push: Push, before: GitHookDelivery | None
) -> GitHookDelivery:
    words = _("The same message came before and is not treated twice.")
    kept = _kept(hook, came, Verdict.REPEATED, words, push)
    if before is not None:
        # Not `request`: that one stays the message that asked.
        told = _("It asked for wish %(number)s.") % {"number": before.request_id}
        GitHookDelivery.objects.filter(pk=kept.pk).update(words=f"{words} {told}")
    return kept


@transaction.atomic
def _refused(
    hook: GitHook, came: Came, push: Push, error: DomainError
) -> GitHookDelivery:
    """Keep why nothing begins; what its owner may not (any more) turns the web-hook off."""
    if isinstance(error, Forbidden):
        words = _("Turned off: %(why)s") % {"why": said(error)}
        switch_trigger(actor=RECEIVER, row=hook, enabled=False, reason=words[:500])
    return _kept(hook, came, Verdict.REFUSED, said(error), push)


def said(error: DomainError) -> str:
    """Put a refusal into a sentence."""
    return " ".join(filter(None, (str(error.message), str(error.hint))))[:2000]


def _kept(
    hook: GitHook, came: Came, verdict: str, words: str, push: Push | None = None
) -> GitHookDelivery:
    return GitHookDelivery.objects.create(
        hook=hook,
        event=came.signed.event,
        delivery=clean(came.signed.delivery),
        address=came.address[:64],
        verdict=verdict,
        words=clean(words)[:2000],
        ref=push.name if push else "",
        commit=push.commit if push else "",
        body_hash=hashlib.sha256(came.body).hexdigest(),
        excerpt=excerpt_of(came.body),
    )
