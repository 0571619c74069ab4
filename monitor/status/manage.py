"""The way from a status page's settings to the page that readers see."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_safe

from adminset.http import requires
from monitor.models import StatusPage


@requires("monitor.view_statuspage")
@require_safe
def statuspage_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead to the page."""
    page = get_object_or_404(StatusPage.objects.visible_to(request.user), pk=pk)
    return redirect(page.public_path)
