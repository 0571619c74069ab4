"""What the page of a deploy shows, and is read again while it goes on."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from adminset.querysets import may
from delivery.engine.controlling import closed_now
from delivery.engine.pausing import failed_ground
from delivery.masking import masked
from delivery.models import Deploy, DeployHost, DeployStep
from delivery.pages.grouping import counts_of, groups_of
from delivery.pages.preflights import FailedCheck
from delivery.pages.promoting import offered_of
from delivery.planning.shown import policy_words
from delivery.progress import percent_of
from delivery.safety import approvals
from delivery.selectors import current_of, hosts_seen
from tasks.models import Run
from tasks.watching.page import segments_of

Status = Deploy.Status
NAMED = 12


def context_of(request: HttpRequest, deploy: Deploy) -> dict[str, Any]:
    """Give what stands on the page of a deploy."""
    user: Any = request.user
    steps = list(deploy.steps.select_related("run", "build"))
    hosts = list(hosts_seen(user, deploy))
    groups = groups_of(hosts)
    counts = counts_of(groups)
    dress(user, steps)
    hidden = masked(deploy, steps, hosts)
    return {
        "deploy": deploy,
        "steps": steps,
        "now": current_of(steps),
        "progress": percent_of(steps) if deploy.is_open else None,
        "groups": groups,
        "counts": counts,
        "segments": segments_of(counts, len(hosts)),  # type: ignore[arg-type]
        "total": len(hosts),
        "hidden": hidden,
        "checks": failed_checks(hosts),
        "votes": list(deploy.votes.all()),
        "standing": approvals.standing(deploy) if deploy.approvals_needed else None,
        "policy": policy_words(deploy.way) if deploy.way else "",
        **acts_of(user, deploy, counts),
    }


def dress(user: Any, steps: list[DeployStep]) -> None:
    """Tell of each step whether the user may read what it printed, and how much of it is done."""
    runs = [step.run_id for step in steps if step.run_id]
    rows = (
        Run.objects.visible_to(user).filter(pk__in=runs) if runs else Run.objects.none()
    )
    readable = set(rows.values_list("pk", flat=True))
    for step in steps:
        row: Any = step
        row.has_log = step.run_id in readable or bool(step.build_id)
        row.percent = (
            min(100 * step.done / step.total, 100.0)
            if step.total and step.status == DeployStep.Status.RUNNING
            else None
        )


def failed_checks(hosts: list[DeployHost]) -> list[FailedCheck]:
    """Put the checks that did not pass together, those of most hosts first. What they say comes from hosts: plain text."""
    found: dict[tuple[str, str, str], FailedCheck] = {}
    for host in hosts:
        for check in host.checks if isinstance(host.checks, list) else []:
            if not isinstance(check, dict) or check.get("ok"):
                continue
            key = tuple(str(check.get(name, "")) for name in ("title", "why", "mend"))
            title, why, mend = key
            made = found.setdefault((title, why, mend), FailedCheck(title, why, mend))
            made.hosts.append(host.host_name)
    return sorted(found.values(), key=lambda check: -len(check.hosts))


def acts_of(user: Any, deploy: Deploy, counts: list[Any]) -> dict[str, Any]:
    """Say which buttons the page has for the user; the services ask again."""
    steers = may(user, "control", deploy)
    stopping = deploy.cancel_requested_at is not None or bool(deploy.ending)
    ended = not deploy.is_open
    bad = ended and deploy.status != Status.OK
    adds = user.has_perm("delivery.add_deploy")
    waits = deploy.status == Status.WAITING_APPROVAL
    return {
        "can_decide": waits and not approvals.why_not(user, deploy),
        "why_not": approvals.why_not(user, deploy) if waits else "",
        "can_pause": steers and deploy.status == Status.RUNNING and not stopping,
        "can_resume": steers
        and deploy.status == Status.PAUSED
        and not stopping
        and failed_ground(deploy) is None,
        "can_cancel": deploy.is_open and not stopping and may(user, "cancel", deploy),
        "can_retry": steers
        and (bad or _stands_at_a_failed_stage(deploy))
        and not stopping
        and not waits
        and deploy.pipeline.goes_to(deploy.environment),
        "can_roll_back": ended and adds,
        "can_repeat": ended
        and adds
        and bool(deploy.commit or deploy.artefact_id)
        and deploy.pipeline.goes_to(deploy.environment),
        "resume_word": _resume_word(deploy),
        "closed": closed_now(deploy) if bad or deploy.status == Status.PAUSED else "",
        "failed": any(one.status in ("failed", "unreachable") for one in counts),
        **offered_of(user, deploy),
    }


def _stands_at_a_failed_stage(deploy: Deploy) -> bool:
    """Whether a paused deploy has a stage to try again: one that was paused by hand has none."""
    if deploy.status != Status.PAUSED:
        return False
    seen = set(deploy.steps.values_list("status", flat=True))
    return DeployStep.Status.FAILED in seen and DeployStep.Status.RUNNING not in seen


def _resume_word(deploy: Deploy) -> str:
    """Say on the button what a yes means now."""
    waiting = deploy.steps.filter(
        kind=DeployStep.Kind.CONFIRM, status__in=DeployStep.OPEN
    )
    if deploy.status == Status.PAUSED and waiting.exists():
        return _("Confirm: go on")
    return _("Resume")
