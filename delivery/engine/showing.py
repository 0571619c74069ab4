"""Where other rooms show deploys: the page of a run that is a part of one, and the charts of hosts."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _

from appconf.models import Environment
from cmdb.models import Host
from delivery.models import Deploy, DeployHost, DeployStep
from delivery.safety.subjects import OF_ENVIRONMENTS, SUBJECT, number_in
from monitor.marks import MOST, Mark
from monitor.ranges import Span

ICONS = {"deploy": "rocket", "rollback": "rotate-left"}


def words_of(user: Any, subject: str) -> tuple[str, str] | None:
    """Name the deploy, or the environment that is read, checked, marked or unlocked, to which a leg belongs, and its page; None for who may not see it."""
    found = (number_in(subject, start) for start in OF_ENVIRONMENTS)
    looked = [number for number in found if number is not None]
    if looked:
        row = Environment.objects.visible_to(user).filter(pk=looked[0]).first()
        return (str(row), row.get_absolute_url()) if row else None
    deploys = Deploy.objects.visible_to(user).select_related(
        "pipeline__project", "environment"
    )
    deploy = deploys.filter(pk=number_in(subject, SUBJECT) or 0).first()
    return (str(deploy), deploy.get_absolute_url()) if deploy else None


def marks(user: Any, host: Host, span: Span) -> Iterator[Mark]:
    """Give the deploys that worked on a host in a stretch of time; as `marks_of_hosts`."""
    return marks_of_hosts(user, [host.pk], span)


def marks_of_hosts(user: Any, host_ids: Collection[int], span: Span) -> Iterator[Mark]:
    """Give begin and end of the deploys that worked on hosts in a stretch of time, and when what was switched was taken back.

    As far as the reader may see the deploys, the newest first.
    """
    start, end = (datetime.fromtimestamp(at, UTC) for at in (span.start, span.end))
    meant = Q(ended_at=None) | Q(ended_at__gte=start)
    seen = Deploy.objects.visible_to(user).filter(meant, started_at__lte=end)
    there = DeployHost.objects.filter(host__in=host_ids).order_by().values("deploy")
    back = DeployStep.objects.filter(kind=DeployStep.Kind.SWITCH_BACK)
    rows = (
        seen.filter(pk__in=there)
        .defer("plan")
        .prefetch_related(
            Prefetch("steps", queryset=back.order_by("position"), to_attr="backs")
        )
    )
    related = rows.select_related(
        "pipeline__project", "environment", "artefact__project"
    )
    for deploy in related.order_by("-started_at")[:MOST]:
        for mark in _marks_of(deploy):
            if span.start <= mark.time <= span.end:
                yield mark


def _marks_of(deploy: Any) -> Iterator[Mark]:
    told = {
        "kind": deploy.get_kind_display(),
        "project": deploy.pipeline.project,
        "environment": deploy.environment.name,
        "release": deploy.release or deploy.ref,
        "status": deploy.label,
    }
    kind = "rollback" if deploy.is_rollback else "deploy"
    begins = _("%(kind)s of %(project)s %(environment)s: %(release)s (%(status)s)")
    ends = _(
        "End of the %(kind)s of %(project)s %(environment)s: %(release)s (%(status)s)"
    )
    taken = _("Taken back: %(project)s %(environment)s: %(release)s")
    url = deploy.get_absolute_url()
    yield Mark(deploy.started_at.timestamp(), kind, ICONS[kind], begins % told, url)
    for step in deploy.backs:
        if step.started_at:
            at = step.started_at.timestamp()
            yield Mark(at, "rollback", ICONS["rollback"], taken % told, url)
    if deploy.ended_at:
        yield Mark(deploy.ended_at.timestamp(), kind, ICONS[kind], ends % told, url)
