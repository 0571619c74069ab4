"""Approvals of a deploy: n people's yes to the plan of one hash; never that of who asked."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.access import roles_of
from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import may
from delivery.models import Deploy, DeployVote


@dataclass(frozen=True)
class Standing:
    """How the approval of a deploy stands."""

    yes: int
    needed: int
    refused: bool
    words: str

    @property
    def is_enough(self) -> bool:
        """Whether it may go on."""
        return not self.refused and self.yes >= self.needed


def standing(deploy: Deploy) -> Standing:
    """Say how the approval of a deploy stands; decisions on another plan than the one that is there do not count.

    Until it begins neither does the yes of somebody who might not give it any more; a no stays one.
    """
    votes = list(deploy.votes.filter(plan_hash=deploy.plan_hash).select_related("user"))
    against = next((vote for vote in votes if not vote.yes), None)
    lost = _lost(deploy, votes)
    yes = sum(vote.yes for vote in votes) - len(lost)
    if against is not None:
        words = _("Refused by %(who)s: %(why)s")
        told = words % {"who": against.user_name, "why": against.reason}
        return Standing(yes, deploy.approvals_needed, refused=True, words=told)
    told = _missing_words(max(deploy.approvals_needed - yes, 0), lost)
    return Standing(yes, deploy.approvals_needed, refused=False, words=told)


def _lost(deploy: Deploy, votes: list[DeployVote]) -> list[str]:
    """Name those who said yes and might not say so any more; nobody once it began."""
    if deploy.started_at is not None or not deploy.is_open:
        return []
    return [
        vote.user_name
        for vote in votes
        if vote.yes and (vote.user is None or _not_his(vote.user, deploy))
    ]


def _missing_words(left: int, lost: list[str]) -> str:
    told = ngettext(
        "%(count)s approval is missing.", "%(count)s approvals are missing.", left
    ) % {"count": left}
    if not lost:
        return told
    words = _("The yes of %(who)s does not count any more.")
    return f"{told} {words % {'who': ', '.join(lost)}}"


def _not_his(person: Any, deploy: Deploy) -> str:
    """Say why deciding a deploy is not a person's; "" where it is."""
    if deploy.requested_by_id == person.pk:
        return _("Whoever asked for a deploy does not approve it.")
    if not may(person, "decide", deploy):
        return _("You may not approve deploys of this project.")
    if not role_counts(person, Deploy.objects.filter(pk=deploy.pk)).exists():
        return _("You have none of the roles that approve this pipeline.")
    return ""


def role_counts(person: Any, rows: QuerySet[Deploy]) -> QuerySet[Deploy]:
    """Narrow deploys to those whose pipeline names no role, or one that a person holds there: a role held elsewhere says nothing."""
    counts = Q(pipeline__approve_groups=None)
    for role, held in roles_of(person).items():
        reached = Deploy.objects.order_by()
        if not held.everything:
            reached = reached.within(held, "decide")
        counts |= Q(pipeline__approve_groups=role, pk__in=reached.values("pk"))
    return rows.filter(counts)


def why_not(actor: Any, deploy: Deploy) -> str:
    """Say why a person may not decide a deploy; "" where he or she may."""
    if deploy.status != Deploy.Status.WAITING_APPROVAL:
        return _("It does not wait for approval.")
    if getattr(actor, "token", None) is not None:
        return _("Only people signed in at the portal can approve, not tokens.")
    if refused := _not_his(actor, deploy):
        return refused
    if deploy.votes.filter(user=actor).exists():
        return _("You have decided already.")
    return ""


@transaction.atomic
def decide(
    *, actor: Any, deploy: Deploy, yes: bool, reason: str = "", plan_hash: str = ""
) -> Deploy:
    """Take a person's decision on a deploy.

    Args:
        plan_hash: of the plan that the person saw; "" where that is the deploy's own.

    Raises:
        Forbidden: the person may not decide it. Conflict: it is another plan. DomainError: a no without a reason.
    """
    held = Deploy.objects.select_for_update().get(pk=deploy.pk)
    refused = why_not(actor, held)
    if refused:
        raise Forbidden(refused)
    if plan_hash and plan_hash != held.plan_hash:
        raise Conflict(
            _("The plan is not the one that you saw."),
            _("Look at it again."),
            code="plan_changed",
        )
    if held.approve_until and held.approve_until <= timezone.now():
        raise Conflict(_("The time for approval is over."), code="expired")
    if not yes and not reason.strip():
        words = _("Say why: others will read it.")
        raise DomainError(words, fields={"reason": words})
    DeployVote.objects.create(
        deploy=held,
        user=actor,
        user_name=actor.username,
        yes=yes,
        reason=reason.strip()[:500],
        plan_hash=held.plan_hash,
    )
    verb = "deploy.approve" if yes else "deploy.refuse"
    changes: list[audit.Change] = [
        {"field": "plan", "old": None, "new": held.plan_hash}
    ]
    audit.record(actor, verb, held, changes=changes, reason=reason)
    for each in after_word:
        each(held.pk)
    return held


# What is called with a deploy's id when somebody decided; the engine adds its own.
after_word: list[Any] = []
