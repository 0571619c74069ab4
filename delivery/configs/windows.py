"""What keeps configuration from being pushed now: windows and freezes of the pipelines that guard an environment, and the override in an emergency."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from adminset.errors import Conflict
from appconf.models import Environment
from delivery.models import Pipeline
from delivery.safety import windows


def closed_words(environment: Environment) -> str:
    """Say why nothing may be pushed to an environment now; "" where it may. All that its pipelines say counts."""
    return " ".join(dict.fromkeys(words for _pipeline, words in _closed(environment)))


def pass_windows(actor: Any, environment: Environment, reason: str) -> str:
    """Let a push begin now; give the reason of its emergency as it is kept, "" where no window stands in the way.

    Args:
        reason: why it cannot wait.

    Raises:
        Conflict (code "closed"): a window or a freeze says no, and nobody says why it cannot wait.
        Forbidden: the actor may not override windows. DomainError: a reason of a few words is no reason.
    """
    closed = _closed(environment)
    if not closed:
        return ""
    if not reason.strip():
        words = " ".join(dict.fromkeys(told for _pipeline, told in closed))
        hint = _("Wait for the window, or say why it cannot wait.")
        raise Conflict(words, hint, code="closed")
    kept = [
        windows.check_emergency(actor, pipeline, environment, reason)
        for pipeline, _words in closed
    ]
    return next(filter(None, kept), "")


def _closed(environment: Environment) -> list[tuple[Pipeline, str]]:
    """List the pipelines that go here and whose windows are closed, with the words of each.

    Those that are switched off count as well: switching one off takes no right to change what guards an environment.
    """
    rows = Pipeline.objects.going_to(environment).order_by("pk")
    now = timezone.now()
    found = [
        (one, windows.closed_words(one, environment, now))
        for one in rows.select_related("calendar", "freezes")
    ]
    return [(one, words) for one, words in found if words]
