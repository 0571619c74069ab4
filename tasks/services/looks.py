"""Since when the time of a run counts: that of a leg only while the portal is there to call workers for it."""

from datetime import UTC, datetime

from django.utils import timezone

from adminset import redis_door
from tasks.models import Run

LOOKED = "runs-looked-at-since"
# The reaper looks each ten seconds: one that comes late on a loaded machine is no break, and no leg has less time than this.
LOOK_SECONDS = 60


def note_look(moment: float) -> None:
    """Keep since when runs are looked at without a break; `moment` in Unix seconds."""
    since = redis_door.noted(LOOKED) or str(moment)
    redis_door.note(LOOKED, since, LOOK_SECONDS)


def began(run: Run) -> datetime | None:
    """Say when the time of a run began: a leg's with its wish, for nobody is there who would stop it.

    When a worker took it, or was lost over it, that of a leg began anew: `batch_started_at`, for it has one batch only.
    """
    if run.is_leg:
        return run.batch_started_at or run.created_at
    return run.started_at


def counts_from(run: Run) -> datetime | None:
    """Say from when on the time of a run counts: not that in which the portal was away and no worker could have come."""
    since = began(run)
    if since is None or not run.is_leg:
        return since
    looked = redis_door.noted(LOOKED)
    # Where nobody can say so it counts from now on: better late than a deploy that is left half done.
    return max(
        since, datetime.fromtimestamp(float(looked), UTC) if looked else timezone.now()
    )
