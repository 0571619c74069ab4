"""How a run ended, for one reader: what all may know of it, and the names of those of the reader's hosts that had not returned."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tasks.feed import hosts_seen
from tasks.models import Run, RunHost

NAMES_TOLD = 2


def explained(user: Any, run: Run) -> str:
    """Give the sentences of a run, and which hosts timed out of those that the reader sees."""
    if run.is_open or run.status == Run.Status.OK:
        return run.explanation
    late = hosts_seen(user, run).filter(status=RunHost.Status.TIMED_OUT)
    names = list(late.values_list("host_name", flat=True))
    if not names:
        return run.explanation
    words = _("Timed out: %(told)s.") % {"told": waiting_for(names)}
    return f"{run.explanation} {words}".strip()


def waiting_for(names: Iterable[str]) -> str:
    """Name who has not returned: "waiting for web3, web7 and 4 more"."""
    known = list(names)
    listed, more = ", ".join(known[:NAMES_TOLD]), len(known) - NAMES_TOLD
    if more <= 0:
        return _("waiting for %(names)s") % {"names": listed}
    words = ngettext(
        "waiting for %(names)s and %(count)s more",
        "waiting for %(names)s and %(count)s more",
        more,
    )
    return words % {"names": listed, "count": more}
