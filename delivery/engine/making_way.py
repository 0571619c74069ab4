"""A rollback makes its way: a deploy that is paused with nothing switched is cancelled for it."""

from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from delivery.engine.calls import call
from delivery.engine.moves import ENGINE
from delivery.models import Deploy
from delivery.safety.giving_way import gives_way


def make_way(rollback: Deploy) -> str:
    """Cancel the paused deploy that holds the environment of a rollback, and say so; "" where nothing gives way.

    It is cancelled in the name of whoever rolls back: the right to do that is the right not to wait for a pause.
    """
    found = gives_way(rollback.environment).defer("plan").first()
    if found is None:
        return ""
    # Somebody may resume it in this moment: then it holds on.
    rows = gives_way(rollback.environment).filter(pk=found.pk, cancel_requested_at=None)
    stopped = rows.update(
        cancel_requested_at=timezone.now(),
        cancelled_by_name=rollback.requested_by_name,
    )
    if stopped:
        words = _("It was paused with nothing switched, and %(deploy)s goes back.")
        audit.record(
            rollback.requested_by or ENGINE,
            "deploy.cancel",
            found,
            reason=words % {"deploy": rollback},
        )
        call(found.pk)
    words = _("%(deploy)s was paused with nothing switched: it is being cancelled.")
    return words % {"deploy": found}
