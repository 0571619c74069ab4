"""The word on what waits for approval, and what follows from it: go on, stop, expire, or void when something changed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from tasks.approvals.asking import RUN, approvals_of
from tasks.approvals.seals import differences, part_words
from tasks.models import Approval, ApprovalVote, Run

Status = Approval.Status
Verdict = ApprovalVote.Verdict
WATCHER = audit.SystemActor("approvals")
# Approvals that one call lets expire.
AT_ONCE = 500


@dataclass(frozen=True)
class Door:
    """What a kind of thing that can be approved gives.

    Attributes:
        seals: the seals of what an approval is for, as it stands now; None: it is gone, or has ended.
        go: lets it go on; stop: ends it. Both are called in the transaction that decides.
    """

    seals: Callable[[Approval], dict[str, str] | None]
    go: Callable[[Approval], None]
    stop: Callable[[Approval], None]


def vote(
    *, actor: Any, approval: Approval, verdict: str, comment: str = ""
) -> Approval:
    """Take one person's word. One refusal ends it; the last approval that is needed lets it go on.

    Raises:
        Forbidden: the actor asked for it himself, or is not among those who may decide.
        Conflict: it is decided, expired or void, or the actor has spoken already.
        DomainError: a refusal without a word why.
    """
    _check_voter(actor, approval)
    if verdict == Verdict.REFUSE and not comment.strip():
        raise DomainError(
            _("A refusal says why."), fields={"comment": _("Say why, in a sentence.")}
        )
    if not holds(approval):
        approval.refresh_from_db()
        raise Conflict(
            _("%(name)s is not open any more: %(why)s")
            % {
                "name": approval,
                "why": approval.explanation or approval.get_status_display(),
            },
            code="approval_closed",
        )
    with transaction.atomic():
        # Two who speak at once are counted one after the other.
        held = Approval.objects.select_for_update().order_by().get(pk=approval.pk)
        if held.status != Status.WAITING:
            raise Conflict(_("It has been decided meanwhile."), code="approval_closed")
        _write_vote(actor, held, Verdict(verdict), comment.strip())
        _settle(held)
    approval.refresh_from_db()
    return approval


def _check_voter(actor: Any, approval: Approval) -> None:
    if approval.requested_by_id == actor.pk:
        raise Forbidden(
            _("Nobody approves what they asked for themselves."),
            _("Ask a colleague who may."),
            code="self_approval",
        )
    if why := why_not(actor, approval):
        words = _("You are not among those who may decide this.")
        raise Forbidden(words, why, code="not_an_approver")


def why_not(user: Any, approval: Approval) -> str:
    """Say why somebody may not decide; "" where he may."""
    if approval.requested_by_id == user.pk:
        return _("You asked for it: others decide.")
    held = Approval.objects.filter(pk=approval.pk)
    if held.visible_to(user, "decide").exists():
        return ""
    if not user.has_perm("tasks.decide_approval"):
        return _("Whoever decides needs the permission tasks.decide_approval.")
    if not held.naming(user).exists():
        words = _("The rule %(rule)s names others.")
        return words % {"rule": approval.rule_name}
    return _(
        "Your grants do not reach far enough: the permission to decide, and the role that the rule names, must hold on all of its hosts, and everywhere where it has none."
    )


def _write_vote(actor: Any, approval: Approval, verdict: Verdict, comment: str) -> None:
    values = {
        "user_name": actor.username,
        "verdict": verdict,
        "comment": comment[:1000],
    }
    try:
        with transaction.atomic():
            ApprovalVote.objects.create(approval=approval, user=actor, **values)
    except IntegrityError:
        raise Conflict(_("You have spoken already."), code="voted") from None
    audit.record(actor, f"approval.{verdict}", approval, reason=comment[:500])


def _settle(approval: Approval) -> None:
    votes = list(approval.votes.all())
    refused = [one for one in votes if one.verdict == Verdict.REFUSE]
    if refused:
        words = _("Refused by %(who)s: %(why)s") % {
            "who": refused[0].user_name,
            "why": refused[0].comment,
        }
        close(approval=approval, status=Status.REFUSED, words=words)
    elif len(votes) >= approval.needed:
        names = ", ".join(one.user_name for one in votes)
        words = _("Approved by %(who)s.") % {"who": names}
        close(approval=approval, status=Status.APPROVED, words=words)


def close(*, approval: Approval, status: str, words: str) -> bool:
    """Decide what waits, and stop what is not to go on; False where somebody else decided it already."""
    open_before = (
        (Status.WAITING, Status.APPROVED)
        if status == Status.VOID
        else (Status.WAITING,)
    )
    with transaction.atomic():
        rows = Approval.objects.filter(pk=approval.pk, status__in=open_before)
        if not rows.update(
            status=status, explanation=words[:4000], decided_at=timezone.now()
        ):
            return False
        before, approval.status, approval.explanation = approval.status, status, words
        changes = [{"field": "status", "old": str(before), "new": str(status)}]
        audit.record(
            WATCHER, "approval.decide", approval, changes=changes, reason=words[:500]
        )
        door = DOORS[approval.kind]
        (door.go if status == Status.APPROVED else door.stop)(approval)
    return True


def holds(approval: Approval) -> bool:
    """Say whether an approval is what it was asked for: void it where something changed, end it where its time is over."""
    if approval.status not in (Status.WAITING, Status.APPROVED):
        return False
    if approval.status == Status.WAITING and approval.is_late:
        close(
            approval=approval, status=Status.EXPIRED, words=_("Nobody decided in time.")
        )
        return False
    now = DOORS[approval.kind].seals(approval)
    changed = differences(approval.seals, now) if now is not None else []
    if now is not None and not changed:
        return True
    names = ", ".join(part_words(name) for name in changed)
    words = (
        _("Void: since it was asked for, this changed: %(parts)s.") % {"parts": names}
        if now is not None
        else _("What it was for has ended, or is gone.")
    )
    close(approval=approval, status=Status.VOID, words=words)
    return False


def may_start(run: Run) -> str | None:
    """Say why a worker may not take a run yet, or at all; None where nothing stands in its way.

    Where it was approved, what will run is hashed again: any change ends the run. Where that cannot be done, because a
    secret of it does not open here, it waits.
    """
    for approval in approvals_of(RUN, run.pk):
        try:
            as_asked = holds(approval)
        except DomainError as error:
            return f"{error.message} {error.hint}".strip()
        if not as_asked:
            return approval.explanation or str(approval.get_status_display())
        if approval.status == Status.WAITING:
            return _("It waits for approval: %(rule)s.") % {"rule": approval.rule_name}
    return None


def expire_due() -> int:
    """Let expire what nobody decided in time, and close what is not wanted any more; gives how many expired."""
    ended = Run.objects.exclude(status__in=Run.OPEN).values("pk")
    for pk in approvals_for(RUN).filter(object_id__in=ended)[:AT_ONCE]:
        withdraw(kind=RUN, object_id=pk)
    due = Approval.objects.open().filter(expires_at__lte=timezone.now())
    words = _("Nobody decided in time.")
    return sum(
        close(approval=approval, status=Status.EXPIRED, words=words)
        for approval in due[:AT_ONCE]
    )


def approvals_for(kind: str) -> Any:
    """Give the ids of the things of a kind that wait."""
    rows = Approval.objects.open().filter(kind=kind)
    return rows.order_by("pk").values_list("object_id", flat=True)


def withdraw(*, kind: str, object_id: int, given: bool = False) -> None:
    """Close what waits for something that is not wanted any more.

    Args:
        given: what was approved is taken back, too.
    """
    before = [Status.WAITING, *([Status.APPROVED] if given else [])]
    approvals_of(kind, object_id).filter(status__in=before).update(
        status=Status.CANCELLED,
        explanation=_("It is not wanted any more."),
        decided_at=timezone.now(),
    )


# The kinds of things that are approved; each joins in the room's apps.py.
DOORS: dict[str, Door] = {}
