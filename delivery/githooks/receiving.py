"""Treats a genuine message of a git host: once, where the rules hold; what became of it is kept in words."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import SystemActor
from adminset.errors import DomainError, Forbidden
from delivery.githooks.pushes import Push, is_push, push_of
from delivery.githooks.rules import why_not
from delivery.models import Deploy, GitHook, GitHookDelivery
from delivery.triggers.saving import turned_off
from delivery.triggers.vouching import ensure_could_deliver, ensure_vouched, owner_of
from delivery.triggers.wishing import wish
from tasks.hooks.once import Came, SeenError, came_before, join, kept, remember
from tasks.hooks.receiving import read

Verdict = GitHookDelivery.Verdict
RECEIVER = SystemActor("git web-hook")


def receive(hook: GitHook, came: Came) -> GitHookDelivery:
    """Treat a message whose signature is right; gives what became of it."""
    GitHook.objects.filter(pk=hook.pk).update(last_at=timezone.now())
    if came.signed.is_ping:
        return kept(hook, came, Verdict.PING, _("The git host tried the address."))
    if not is_push(came.signed.event):
        words = _("%(event)s is no push: nothing is delivered by it.")
        event = came.signed.event or "-"
        return kept(hook, came, Verdict.LEFT, words % {"event": event})
    try:
        push = push_of(read(came.body))
    except DomainError as error:
        return kept(hook, came, Verdict.REFUSED, error.sentence)
    problem = why_not(hook, push)
    if problem:
        return _kept(hook, came, Verdict.LEFT, problem, push)
    try:
        return _start(hook, came, push)
    except SeenError as error:
        return _repeated(hook, came, push, error.delivery)
    except DomainError as error:
        return _refused(hook, came, push, error)


@transaction.atomic
def _start(hook: GitHook, came: Came, push: Push) -> GitHookDelivery:
    """Ask for the deploy and remember the message, both or neither."""
    owner = owner_of(hook)
    ensure_could_deliver(owner, hook)
    ensure_vouched(hook)
    seen = remember(hook, came.signed.signs)
    words = _("Asked for a deploy of %(ref)s.") % {"ref": push.words}
    message: GitHookDelivery = _kept(hook, came, Verdict.STARTED, words, push)
    message.request = wish(
        actor=owner,
        key=f"githook:{hook.pk}:{message.pk}",
        pipeline=hook.pipeline,
        environment=hook.environment,
        trigger=Deploy.Trigger.HOOK,
        ref_kind=push.ref_kind,
        ref=push.name,
        reason=_("%(hook)s: push of %(ref)s") % {"hook": hook, "ref": push.words},
    )
    message.save(update_fields=["request"])
    join(hook, seen, message)
    told: list[audit.Change] = [{"field": "ref", "old": None, "new": push.words}]
    audit.record(RECEIVER, "githook.start", hook, changes=told)
    return message


def _repeated(
    hook: GitHook, came: Came, push: Push, before: GitHookDelivery | None
) -> GitHookDelivery:
    words = came_before()
    if before is not None:
        # Not `request`: that one stays the message that asked.
        told = _("It asked for request %(number)s.") % {"number": before.request_id}
        words = f"{words} {told}"
    return _kept(hook, came, Verdict.REPEATED, words, push)


@transaction.atomic
def _refused(
    hook: GitHook, came: Came, push: Push, error: DomainError
) -> GitHookDelivery:
    """Keep why nothing begins; what its owner may not (any more) turns the web-hook off."""
    if isinstance(error, Forbidden):
        turned_off(actor=RECEIVER, row=hook, error=error)
    return _kept(hook, came, Verdict.REFUSED, error.sentence, push)


def _kept(
    hook: GitHook, came: Came, verdict: str, words: str, push: Push
) -> GitHookDelivery:
    row: GitHookDelivery = kept(
        hook, came, verdict, words, ref=push.name, commit=push.commit
    )
    return row
