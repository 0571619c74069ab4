"""Says that somebody looks at a host, so that its agent sends a sample each second for a while."""

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from adminset.http import requires
from monitor import selectors, watching


@requires(selectors.PERMISSION)
@require_POST
def host_watch(request: HttpRequest, pk: int) -> JsonResponse:
    """Note that the asker looks at a host; a page says so again each few seconds while it is open."""
    host = get_object_or_404(selectors.watched_hosts(request.user), pk=pk)
    watching.watch(host.pk)
    return JsonResponse({"seconds": watching.WATCH_SECONDS})
