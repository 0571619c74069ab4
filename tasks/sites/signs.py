"""Signs of life of the sites' workers: when one was seen last, and the sentence for where there is none."""

from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from tasks.models import Site
from tasks.site_models import QUEUE_PREFIX
from tasks.sites.questions import site_of_queue


def note_signs(queues: Iterable[str], moment: float) -> None:
    """Keep that these queues had workers at a moment (Unix seconds)."""
    codes = [
        queue.removeprefix(QUEUE_PREFIX)
        for queue in queues
        if queue.startswith(QUEUE_PREFIX)
    ]
    if codes:
        seen = datetime.fromtimestamp(moment, UTC)
        Site.objects.filter(idc__code__in=codes).update(seen_at=seen)


def nobody_words(queue: str) -> str:
    """Say that no worker serves a queue, since when, and what becomes of the work."""
    site = site_of_queue(queue)
    if site is None:
        return _("No worker serves queue %(queue)s.") % {"queue": queue}
    return absence_words(site)


def absence_words(site: Site) -> str:
    """Say that no worker serves a site's queue, since when, and what becomes of the work."""
    words = _("No worker serves queue %(queue)s.") % {"queue": site.queue}
    if site.seen_at is not None:
        since = timezone.localtime(site.seen_at)
        words = _("No worker serves queue %(queue)s since %(time)s.")
        words %= {"queue": site.queue, "time": f"{since:%Y-%m-%d %H:%M:%S %Z}"}
    return f"{words} {fallback_words(site)}"


def fallback_words(site: Site) -> str:
    """Say what becomes of a site's work while it has no worker."""
    told = {"seconds": settings.SITE_PATIENCE_SECONDS, "site": site.other}
    if site.fallback == Site.Fallback.PORTAL:
        words = _("After %(seconds)s s without one the portal's workers do it.")
        return words % told
    if site.fallback == Site.Fallback.OTHER and site.other is not None:
        words = _("After %(seconds)s s without one the workers of %(site)s do it.")
        return words % told
    words = _("It waits for one: make worker QUEUES=%(queue)s on a machine there.")
    return words % {"queue": site.queue}
