"""Judges a run once more when a worker takes it: between the wish and the work a grant, a user or a credential may have changed."""

from django.utils import timezone
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from cmdb.models import Credential, Host
from tasks.legs.judging import barred_hosts, leg_refusal
from tasks.library.choosing import ensure_all_runnable
from tasks.models import Run, RunHost
from tasks.services.claim import Claim


def keep_allowed(run: Run, claim: Claim, rows: list[RunHost]) -> list[RunHost]:
    """Give the hosts on which the run may still work for who asked; the others are told why, and not started."""
    refused = leg_refusal(run) if run.is_leg else _refused_all(run)
    judge = barred_hosts if run.is_leg else _barred
    barred = {row.pk: refused for row in rows} if refused else judge(run, rows)
    for pk, words in barred.items():
        claim.hosts().filter(pk=pk).update(explanation=words, ended_at=timezone.now())
    return [row for row in rows if row.pk not in barred]


def _refused_all(run: Run) -> str:
    owner = run.requested_by
    if owner is None or not owner.may_sign_in:
        return _("Whoever asked for this run may not sign in any more.")
    if not owner.has_perm("tasks.add_run"):
        return _("%(user)s may not start runs any more.") % {"user": owner}
    return _retired(run)


def _retired(run: Run) -> str:
    """Say which version that was frozen into the run may not run any more."""
    keys = [one["version"] for one in run.distribution if one.get("version")]
    keys += run.role_versions.values()
    if run.version_id:
        keys.append(run.version_id)
    try:
        ensure_all_runnable(keys)
    except DomainError as error:
        return f"{error.message} {error.hint}".strip()
    return ""


def _barred(run: Run, rows: list[RunHost]) -> dict[int, str]:
    owner = run.requested_by
    hosts = {row.host.pk: row.host for row in rows if row.host is not None}
    runnable = Host.objects.visible_to(owner, "run").filter(pk__in=hosts)
    open_to = set(runnable.values_list("pk", flat=True))
    needed = {host.credential_id for host in hosts.values() if host.credential_id}
    usable = Credential.objects.visible_to(owner, "use").filter(pk__in=needed)
    keys = {None, *usable.values_list("pk", flat=True)}
    no_run = _("%(user)s may not run work on this host any more.") % {"user": owner}
    no_key = _("%(user)s may not use the credential of this host.") % {"user": owner}
    return {
        row.pk: no_key if row.host.pk in open_to else no_run
        for row in rows
        if row.host is not None
        and (row.host.pk not in open_to or row.host.credential_id not in keys)
    }
