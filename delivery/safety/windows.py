"""What keeps a release from going to hosts: change windows, freezes and bad marks; and the override in an emergency."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from adminset.errors import DomainError, Forbidden
from appconf.models import Environment
from delivery.models import Deploy, Pipeline
from delivery.safety.rights import holds_on


def closed_words(
    pipeline: Pipeline, environment: Environment, moment: datetime | None = None
) -> str:
    """Say why a deploy may not begin at a moment (now); "" where it may."""
    if not pipeline.guards(environment):
        return ""
    at = moment or timezone.now()
    if pipeline.freezes is not None:
        frozen = pipeline.freezes.reason_at(at)
        if frozen is not None:
            return _("Nothing is deployed now: %(why)s.") % {"why": frozen}
    if pipeline.calendar is not None and pipeline.calendar.reason_at(at) is None:
        words = _("It is outside the change windows of %(calendar)s.")
        return words % {"calendar": pipeline.calendar.name}
    return ""


def waits_for_window(deploy: Deploy) -> str:
    """Say why a deploy that was asked for may not begin now; an emergency needs no window, and neither does what mends."""
    if deploy.emergency_reason or deploy.is_rollback:
        return ""
    return closed_words(deploy.pipeline, deploy.environment)


def bad_mark_words(deploy: Deploy) -> str:
    """Say that the release of a deploy was marked bad; "" where it is good, or where its emergency said yes to that."""
    artefact = deploy.artefact
    if artefact is None or not artefact.bad or deploy.emergency_reason:
        return ""
    return _("The release was marked bad: %(why)s") % {"why": artefact.bad_reason}


def check_emergency(
    actor: Any, pipeline: Pipeline, environment: Environment, reason: str
) -> str:
    """Give the reason of an emergency as it is kept; "" where there is none, or where no window stands in the way.

    Raises:
        Forbidden: the actor may not override windows. DomainError: a reason of a few words is no reason.
    """
    words = reason.strip()
    if not words or not closed_words(pipeline, environment):
        return ""
    if not holds_on(actor, "delivery.emergency_deploy", environment):
        raise Forbidden(_("You may not deploy outside the change windows."))
    if len(words) < 10:
        told = _("Say in a sentence why it cannot wait.")
        raise DomainError(told, fields={"emergency_reason": told})
    return words[:500]
