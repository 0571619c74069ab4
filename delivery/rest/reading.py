"""What a program reads of a deploy's logs: of a build, or of a leg on one host, from a byte on."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.querysets import everywhere
from cmdb.models import Host
from delivery.building import log
from delivery.models import Deploy, DeployStep
from delivery.selectors import current_of
from tasks.feed import hosts_seen as run_hosts_seen
from tasks.models import Run
from tasks.run_api import reading


def piece_of(
    user: Any, deploy: Deploy, step_id: int, host: str, offset: int
) -> tuple[dict[str, Any], bool]:
    """Give the log of a step from a byte on, and whether there is news.

    Args:
        step_id: 0: the step that goes on, else the last that printed.
        host: name, where the step is on several hosts.

    Raises:
        Http404: there is no such step, host or log that the user may see.
    """
    steps = list(deploy.steps.select_related("run", "build"))
    step = next((one for one in steps if one.pk == step_id), None)
    if step_id and step is None:
        raise Http404(_("There is no such step."))
    step = step or current_of(steps)
    if step is None:
        return _said(None, "", offset, offset, "", ended=not deploy.is_open)
    if step.build_id:
        piece = log.read(step.build_id, offset, last=not step.is_open)
        ended = not step.is_open and piece.next_offset >= log.size(step.build_id)
        return _said(step, "", offset, piece.next_offset, piece.text, ended=ended)
    return _of_leg(user, step, host, offset)


def _of_leg(
    user: Any, step: DeployStep, host: str, offset: int
) -> tuple[dict[str, Any], bool]:
    run = Run.objects.visible_to(user).filter(pk=step.run_id or 0).first()
    if run is None:
        raise Http404(_("There is no such output."))
    rows = run_hosts_seen(user, run)
    if not everywhere(user, "cmdb.view_host"):
        rows = rows.filter(host__in=Host.objects.visible_to(user))
    found = list(
        rows.filter(host_name=host)[:1] if host else rows.order_by("host_name")[:2]
    )
    if not found:
        raise Http404(_("There is no such output."))
    if len(found) > 1:
        words = _("Say of which host: the step is on several.")
        raise DomainError(words, fields={"host": words})
    told, news = reading.piece_of(user, run.pk, found[0].pk, offset)
    name = found[0].host_name
    piece, _news = _said(
        step, name, offset, told["next_offset"], told["text"], ended=told["ended"]
    )
    return piece, news


def _said(
    step: DeployStep | None,
    host: str,
    offset: int,
    following: int,
    text: str,
    *,
    ended: bool,
) -> tuple[dict[str, Any], bool]:
    told = {
        "step": step.pk if step else None,
        "host": host,
        "offset": offset,
        "next_offset": following,
        "ended": ended,
        "text": text,
    }
    return told, bool(text) or ended
