"""Questions about sites: which queue reaches a host, who stands in without workers, through which hosts the way goes."""

from collections.abc import Iterable
from typing import cast

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from cmdb.models import Host
from tasks.models import Site
from tasks.site_models import QUEUE_PREFIX

# As many as the lane of Ansible passes (ansible_jump.py).
MOST_JUMPS = 4
# What hosts prefetch, so that their ways cost no further question; for rows of a run put "host__" in front.
ALONG = ("idc__site__jump__credential", "idc__site__jump__idc__site")


def with_queue() -> list[Site]:
    """Give the sites that have workers of their own."""
    found = Site.objects.filter(enabled=True, how=Site.How.WORKERS)
    return list(found.select_related("idc", "other__idc", "jump"))


def site_of_queue(queue: str) -> Site | None:
    """Give the site whose workers serve a queue; None for the portal's own queues."""
    if not queue.startswith(QUEUE_PREFIX):
        return None
    code = queue.removeprefix(QUEUE_PREFIX)
    found = Site.objects.filter(idc__code=code, enabled=True, how=Site.How.WORKERS)
    return found.select_related("idc", "other__idc", "jump").first()


def site_of(host: Host) -> Site | None:
    """Give the site in use to which a host belongs; bring ALONG by prefetch_related where there are many."""
    site: Site | None = getattr(host.idc, "site", None)
    return site if site is not None and site.enabled else None


def queues_of(hosts: Iterable[Host]) -> dict[int, str]:
    """Name the queue whose workers reach each host, by the host's id."""
    own: dict[int | None, str] = {site.idc_id: site.queue for site in with_queue()}
    return {host.pk: own.get(host.idc_id, settings.RUN_QUEUE) for host in hosts}


def most_of(queue: str) -> int:
    """Say how many runs at once a queue takes; 0: as many as its workers."""
    site = site_of_queue(queue)
    return site.most if site is not None and site.most else settings.RUN_QUEUE_MOST


def way_to(host: Host, queue: str = "") -> list[Host]:
    """Give the jump hosts on the way to a host, the one before it first; none where it is reached directly.

    Args:
        queue: of the workers who go there; those of the host's own site need no jump host.

    Raises:
        DomainError: the way leads through one host twice, or through too many.
    """
    way: list[Host] = []
    here = host
    while True:
        site = site_of(here)
        # The jump host of an IDC stands there itself, and is reached from outside.
        if site is None or site.jump_id == here.pk or not _has_jump(site, queue):
            return way
        jump = cast("Host", site.jump)
        if jump.pk == host.pk or jump in way:
            words = _("The way to %(host)s leads through %(jump)s twice.")
            raise DomainError(
                words % {"host": host, "jump": jump},
                _("Give one of the sites another jump host."),
                code="jumps_in_a_circle",
            )
        way.append(jump)
        if len(way) > MOST_JUMPS:
            words = _("%(host)s is reached through more than %(most)s jump hosts.")
            raise DomainError(
                words % {"host": host, "most": MOST_JUMPS},
                _("Take some out of the way, on the pages of the sites."),
                code="too_many_jumps",
            )
        here = jump


def _has_jump(site: Site, queue: str) -> bool:
    at_home = site.has_queue and queue == site.queue
    return bool(site.jump_id) and not at_home and site.how != Site.How.DIRECT
