"""Says that somebody looks at a host, so that its agent sends a sample each second for a while."""

import time

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from adminset.http import requires
from cmdb.models import Host
from monitor import selectors, watching
from monitor.policy import policy_of

# A process of the intake looks each second who is watched, and the agent takes its first sample a second later.
LATER_SECONDS = 3


@requires(selectors.PERMISSION)
@require_POST
def host_watch(request: HttpRequest, pk: int) -> JsonResponse:
    """Note that the asker looks at a host; a page says so again each few seconds while it is open.

    Returns:
        for how many seconds that holds, and in how many at the latest live samples come; null: its agent is silent.
    """
    rows = selectors.watched_hosts(request.user).select_related("agent")
    host = get_object_or_404(rows, pk=pk)
    watching.watch(host.pk)
    return JsonResponse(
        {"seconds": watching.WATCH_SECONDS, "live_in": seconds_to_live(host)}
    )


def seconds_to_live(host: Host) -> int | None:
    """Say in how many seconds at the latest a host's agent has heard that somebody looks; None: nobody knows, it is silent.

    It hears so with the answer to its next report, which comes one interval after the last.
    """
    agent = getattr(host, "agent", None)
    if agent is None or agent.revoked_at or agent.last_seen_at is None:
        return None
    ago = time.time() - agent.last_seen_at.timestamp()
    pace = policy_of([host.pk])[host.pk]
    # A report goes with a sample: where one interval is no multiple of the other, it may wait for the next.
    wait = pace.flush_seconds
    wait += pace.sample_seconds if pace.flush_seconds % pace.sample_seconds else 0
    if ago > wait + settings.AGENT_SILENT_SECONDS:
        return None
    left = wait - ago if ago < wait else wait
    return round(left) + LATER_SECONDS
