"""Says how much of a host's output is kept, of how much that came: nobody should have to guess whether a log is whole."""

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tasks import output
from tasks.models import Run, RunHost


def stored_words(run: Run, row: RunHost | None) -> str:
    """Say how much is stored of the output of a host, or (None) of the run as a whole."""
    size = output.size(run.pk, row.pk if row else None)
    if row is None or row.status in RunHost.OPEN:
        received, _text = output.newest(run.pk, row.pk if row else None)
        if received:
            return _beyond(received)
        return _bytes(size) if size else ""
    kept, came = row.stored_bytes, row.output_bytes
    if not kept and not came:
        return _("no output") if not size else _bytes(size)
    values = {"kept": _number(kept), "came": _number(came or kept)}
    # What a worker elsewhere wrote may still be on its way.
    if size < kept and not run.is_open:
        words = _("stored %(kept)s bytes, but only %(size)s of them are left")
        return words % {"kept": _number(kept), "size": _number(size)}
    if not came:
        words = _(
            "stored %(kept)s of at least %(came)s bytes: its worker was lost, more may have come"
        )
        return words % values
    if kept < came:
        words = _(
            "stored %(kept)s of %(came)s bytes: the beginning and the end are kept"
        )
        return words % values
    return _("stored %(kept)s of %(came)s bytes") % values


def _beyond(received: int) -> str:
    words = _(
        "%(came)s bytes so far, more than is kept: the end follows when it is done"
    )
    return words % {"came": _number(received)}


def _bytes(count: int) -> str:
    words = ngettext("%(count)s byte", "%(count)s bytes", count)
    return words % {"count": _number(count)}


def _number(value: int) -> str:
    return formats.number_format(value, force_grouping=True)
