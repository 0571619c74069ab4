"""Deploys that need approval, for the inbox of approvals: what waits for a person, what the person asked for, what was decided."""

from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery.models import Deploy, DeployVote
from delivery.safety.approvals import role_counts
from tasks.approvals.beside import Row, Source

WAITS = Deploy.Status.WAITING_APPROVAL


def waiting_for(user: Any) -> QuerySet[Deploy]:
    """Give the deploys that wait for a user's yes or no: those of which `safety.approvals.why_not` says nothing."""
    if getattr(user, "token", None) is not None:
        return Deploy.objects.none()
    rows = Deploy.objects.visible_to(user, "decide").filter(status=WAITS)
    seen = Deploy.objects.visible_to(user).order_by().values("pk")
    mine = role_counts(user, rows.filter(pk__in=seen))
    over = Q(approve_until__lte=timezone.now())
    found = mine.exclude(requested_by=user).exclude(votes__user=user).exclude(over)
    whole = Deploy.objects.filter(pk__in=found.order_by().values("pk"))
    return whole.annotate(at=Coalesce("approve_until", "created_at"))


def _asked_by(user: Any) -> QuerySet[Deploy]:
    """Give what the user asked for and others had to approve, ended ones too."""
    rows = Deploy.objects.visible_to(user).filter(requested_by=user)
    return rows.filter(approvals_needed__gt=0).annotate(at=F("created_at"))


def _decided(user: Any) -> QuerySet[Deploy]:
    """Give what people said yes or no to; what was cancelled or ran out before anybody did was not decided."""
    votes = DeployVote.objects.filter(deploy=OuterRef("pk")).order_by("-pk")
    rows = Deploy.objects.visible_to(user).filter(approvals_needed__gt=0)
    spoken = rows.exclude(status=WAITS).annotate(at=Subquery(votes.values("at")[:1]))
    return spoken.filter(at__isnull=False)


def _rows(keys: list[int]) -> dict[int, Row]:
    related = ("pipeline__project", "environment", "requested_by")
    rows = Deploy.objects.filter(pk__in=keys).defer("plan").select_related(*related)
    return {row.pk: _row(row) for row in rows}


def _row(deploy: Deploy) -> Row:
    count = deploy.approvals_needed
    needed = ngettext(
        "%(pipeline)s: %(count)s approval", "%(pipeline)s: %(count)s approvals", count
    )
    return Row(
        title=_("Deploy %(deploy)s") % {"deploy": deploy},
        url=deploy.get_absolute_url(),
        state=deploy.state,
        status=deploy.label,
        asked_by=deploy.requested_by_name,
        rule=needed % {"pipeline": deploy.pipeline, "count": count},
        asked_at=deploy.created_at,
        expires_at=deploy.approve_until,
    )


SOURCE = Source(
    shelves={"waiting": waiting_for, "mine": _asked_by, "decided": _decided},
    rows=_rows,
)
