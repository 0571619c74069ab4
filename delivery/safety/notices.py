"""Lines of the trail that are there for web-hooks: somebody is waited for. What ended is told by `deploy.finish`."""

from typing import Any

from adminset import audit
from delivery.models import Deploy


def tell_approvers(actor: Any, deploy: Deploy) -> None:
    """Tell that a deploy waits for the yes of people: for how many, for whom it was asked, until when."""
    until = deploy.approve_until
    told: dict[str, Any] = {
        "status": deploy.status,
        "approvals_needed": deploy.approvals_needed,
        "approve_until": until.isoformat() if until else "",
        "requested_by": deploy.requested_by_name,
        "url": deploy.get_absolute_url(),
    }
    changes: list[audit.Change] = [
        {"field": name, "old": None, "new": value} for name, value in told.items()
    ]
    audit.record(
        actor, "deploy.waiting_approval", deploy, changes=changes, reason=deploy.reason
    )
