"""Where other rooms show deploys: the page of a run that is a part of one, and the charts of a host."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from appconf.models import Environment
from cmdb.models import Host
from delivery.engine.judging import LOOK, SUBJECT, number_in
from delivery.models import Deploy, DeployHost
from monitor.marks import MOST, Mark
from monitor.ranges import Span


def words_of(user: Any, subject: str) -> tuple[str, str] | None:
    """Name the deploy, or the environment that is read back, to which a leg belongs, and its page; None for who may not see it."""
    looked = number_in(subject, LOOK)
    if looked is not None:
        row = Environment.objects.visible_to(user).filter(pk=looked).first()
        return (str(row), row.get_absolute_url()) if row else None
    deploys = Deploy.objects.visible_to(user).select_related(
        "pipeline__project", "environment"
    )
    deploy = deploys.filter(pk=number_in(subject, SUBJECT) or 0).first()
    return (str(deploy), deploy.get_absolute_url()) if deploy else None


def marks(user: Any, host: Host, span: Span) -> Iterator[Mark]:
    """Give the deploys that worked on a host in a stretch of time, as far as the reader may see them, newest first."""
    ends = (datetime.fromtimestamp(at, UTC) for at in (span.start, span.end))
    seen = Deploy.objects.visible_to(user).filter(started_at__range=tuple(ends))
    rows = DeployHost.objects.filter(
        host=host, deploy__in=seen.order_by().values("pk")
    ).select_related("deploy__pipeline__project", "deploy__environment")
    for row in rows.order_by("-deploy__started_at")[:MOST]:
        deploy = row.deploy
        words = _("%(kind)s of %(project)s: %(release)s (%(status)s)")
        title = words % {
            "kind": deploy.get_kind_display(),
            "project": deploy.pipeline.project,
            "release": row.to_release or deploy.ref,
            "status": deploy.label,
        }
        began = deploy.started_at
        at = began.timestamp() if began else span.start
        url = reverse("delivery:deploy_detail", args=[deploy.pk])
        yield Mark(at, "deploy", "rocket", title, url)
