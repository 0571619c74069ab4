"""The button of a site that lets its jump host be tried again."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from adminset.http import requires
from tasks.sites.health import sites_of
from tasks.sites.services import close_breakers


@requires("tasks.change_site", everywhere=True)
@require_POST
def site_close_breaker(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the jump host be tried again at once, by all workers."""
    site = sites_of(request.user, "change").filter(pk=pk).first()
    if site is None:
        raise Http404(_("There is no such site."))
    count = close_breakers(actor=request.user, site=site)
    words = ngettext(
        "%(jump)s is tried again by %(count)s worker process that left it alone.",
        "%(jump)s is tried again by %(count)s worker processes that left it alone.",
        count,
    )
    messages.success(request, words % {"jump": site.jump, "count": count})
    return redirect(f"{site.get_absolute_url()}?tab=state")
