"""Makes the outputs of hosts whole whose worker was lost: what it had laid aside, how much is there."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from tasks.kept_output import digest_of, mend
from tasks.models import RunHost, RunPart
from tasks.output import WHOLE_RUN, folder, path_of
from tasks.site_models import QUEUE_PREFIX

# What nobody could mend for so long stays as it is: there is no file, or none that can be read.
PATIENCE = timedelta(days=1)
logger = logging.getLogger(__name__)


def mend_outputs(run_id: int) -> None:
    """Append what lost workers had laid aside, and write down how much of their hosts' output is kept.

    How much had come nobody knows: `output_bytes` stays 0 there, and pages say "of at least".
    """
    if settings.RUN_SENDS_OUTPUT:
        # What lies on the machine of a site's worker is not what stands in the portal's files.
        return
    try:
        if folder(run_id).is_dir():
            _mend_all(run_id)
    except OSError:
        logger.warning("run %s: an output could not be mended", run_id, exc_info=True)


def mend_left(now: datetime | None = None) -> None:
    """Mend on the portal what is left over of runs whose end a site's worker saw: that one has not the portal's files."""
    if settings.RUN_SENDS_OUTPUT:
        return
    since = (now or timezone.now()) - PATIENCE
    elsewhere = RunPart.objects.filter(queue__startswith=QUEUE_PREFIX)
    left = RunHost.objects.filter(
        status=RunHost.Status.UNKNOWN,
        output_hash="",
        run__ended_at__gte=since,
        run__in=elsewhere.order_by().values("run"),
    )
    for run_id in set(left.order_by().values_list("run", flat=True)):
        mend_outputs(run_id)


def _mend_all(run_id: int) -> None:
    mend(path_of(run_id, WHOLE_RUN))
    for row in RunHost.objects.filter(run=run_id, status=RunHost.Status.UNKNOWN):
        path = path_of(run_id, row.pk)
        mend(path)
        if row.output_hash or not path.is_file():
            continue
        size = path.stat().st_size
        RunHost.objects.filter(pk=row.pk, output_hash="").update(
            stored_bytes=size, output_bytes=0, output_hash=digest_of(path)
        )
