"""Celery's door of the ground: the audit trail is chained, forwarded and anchored."""

import logging

from celery import shared_task

from adminset import audit_anchors, audit_chain, audit_forward, redis_door
from adminset.errors import DomainError

logger = logging.getLogger(__name__)

LEASE_SECONDS = 300


@shared_task(name="adminset.seal_audit")
def seal_audit() -> None:
    """Chain the lines that no commit has chained: its process died, or another one held the chain."""
    audit_chain.seal_pending()


@shared_task(name="adminset.forward_audit")
def forward_audit() -> None:
    """Send new lines to the SIEM, unless another worker is at it."""
    if audit_forward.receiver() is None:
        return
    with redis_door.lease("adminset.forward_audit", LEASE_SECONDS) as held:
        try:
            if held:
                audit_forward.forward()
        except OSError as error:
            logger.warning("audit lines wait for the syslog receiver: %s", error)


@shared_task(name="adminset.anchor_audit")
def anchor_audit() -> None:
    """Anchor the trail where the last anchor is a day old."""
    with redis_door.lease("adminset.anchor_audit", LEASE_SECONDS) as held:
        kinds = audit_anchors.due() if held else []
        if not kinds:
            return
        try:
            audit_anchors.anchor(kinds)
        except DomainError as error:
            logger.warning("%s %s", error.message, error.hint)
