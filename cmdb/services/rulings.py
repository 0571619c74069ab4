"""What a person decides of a conflict of identity: accept, merge, split, installed anew, a copy, or nothing of it."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.errors import Conflict, DomainError
from cmdb.evidence import Evidence
from cmdb.models import Agent, Host, IdentityConflict, Source
from cmdb.services import admission, merging, provenance
from cmdb.services import identity as identities
from cmdb.services.entering import no_entry
from cmdb.services.recent import forget_recent
from cmdb.services.reports import write_facts

KINDS, VERDICTS = IdentityConflict.Kind, IdentityConflict.Verdict
AT_ENROLMENT = frozenset({KINDS.CLONE, KINDS.CONTRADICTION, KINDS.SEVERAL})
OF_ENROLMENT = (
    VERDICTS.ACCEPT,
    VERDICTS.REIMAGED,
    VERDICTS.SPLIT,
    VERDICTS.CLONE,
    VERDICTS.MERGE,
    VERDICTS.DISMISS,
)
OF_REPORT = (VERDICTS.ACCEPT, VERDICTS.SPLIT, VERDICTS.MERGE, VERDICTS.DISMISS)
OF_CREDENTIAL = (VERDICTS.CLONE, VERDICTS.DISMISS)


def open_to(conflict: IdentityConflict) -> tuple[str, ...]:
    """Say which verdicts make sense of a conflict."""
    if conflict.verdict:
        return ()
    if conflict.kind == KINDS.CREDENTIAL:
        return OF_CREDENTIAL
    return OF_ENROLMENT if conflict.kind in AT_ENROLMENT else OF_REPORT


@transaction.atomic
def decide(
    *,
    actor: Actor,
    conflict: IdentityConflict,
    verdict: str,
    host: Host | None = None,
    other: Host | None = None,
) -> IdentityConflict:
    """Decide a conflict. At an enrolment nothing happens yet: the machine is let in so when it enrols again.

    Args:
        host: the host that it is, or that stays; not needed where the conflict is about one host.
        other: the host that goes into it, for a merge.

    Raises:
        Conflict: somebody decided it before, or the hosts cannot be one.
        DomainError: this verdict makes no sense here, or a host is missing.
        Forbidden: a host would come into the actor's own reach by it.
    """
    held = IdentityConflict.objects.select_for_update().get(pk=conflict.pk)
    _ensure_open(held, verdict)
    involved = list(held.hosts.all())
    chosen = host or (involved[0] if len(involved) == 1 else None)
    if verdict in identities.LINKING and chosen is None:
        raise _which_host()
    if verdict == VERDICTS.MERGE:
        if other is None or chosen is None or other.pk == chosen.pk:
            raise _which_host()
        held.undo = merging.merge(actor=actor, kept=chosen, gone=other)
        chosen = Host.objects.get(pk=chosen.pk)
    watched = {each.pk for each in (*involved, chosen) if each is not None}
    with no_entry(actor, watched, by_any_way=True):
        changes = _follow(actor, held, verdict, chosen)
    held.verdict, held.open_key = verdict, None
    held.chosen = chosen if verdict in identities.LINKING else None
    held.decided_at, held.decided_by = timezone.now(), actor.audit_name[:150]
    held.save()
    if held.chosen:
        # As a change: its reader sees the name of a host in his reach only.
        said = {"old": None, "new": str(held.chosen)}
        keys = {"old_id": None, "new_id": held.chosen.pk}
        changes = [*changes, {"field": "chosen", **said, **keys}]
    audit.record(actor, f"identityconflict.{verdict}", held, changes=changes)
    provenance.refresh_dispute(Host.objects.filter(pk__in=[h.pk for h in involved]))
    transaction.on_commit(forget_recent)
    return held


def _ensure_open(conflict: IdentityConflict, verdict: str) -> None:
    if conflict.verdict:
        raise Conflict(
            _("%(name)s was decided by %(who)s already.")
            % {"name": conflict, "who": conflict.decided_by},
            _("Load the page anew."),
        )
    if verdict not in open_to(conflict):
        raise DomainError(_("This cannot be decided here."), code="no_such_verdict")


def _which_host() -> DomainError:
    return DomainError(
        _("Choose the host, and for a merge both."),
        code="which_host",
        fields={"host": _("Choose a host.")},
    )


def _follow(
    actor: Actor, conflict: IdentityConflict, verdict: str, host: Host | None
) -> list[dict[str, Any]]:
    """Do at once what a verdict on a known agent means."""
    agent = conflict.agent
    if agent is None:
        return []
    if conflict.kind == KINDS.CREDENTIAL:
        if verdict == VERDICTS.DISMISS:
            _release(agent, str(conflict.claims.get("boot_id", "")))
        return []
    agent = Agent.objects.get(pk=agent.pk)
    evidence = Evidence.read(conflict.evidence)
    if verdict == VERDICTS.SPLIT:
        host = _of_its_own(actor, agent, conflict)
    elif verdict == VERDICTS.DISMISS or host is None:
        return []
    identities.remember(host, evidence)
    changes = write_facts(host, dict(conflict.claims))
    # The next report must not pass as unchanged.
    Agent.objects.filter(pk=agent.pk).update(facts_hash="")
    return changes


def _of_its_own(actor: Actor, agent: Agent, conflict: IdentityConflict) -> Host:
    old = agent.host
    new = admission.discovered(agent, conflict.claims)
    if old is not None:
        new.groups.add(*old.groups.all())
        provenance.forget_word(old, Source.AGENT)
    Agent.objects.filter(pk=agent.pk).update(host=new)
    audit.record(actor, "host.split", new, reason=f"#{old.pk}" if old else "")
    return new


def _release(agent: Agent, boot_id: str) -> None:
    state = dict(agent.boots)
    state["refused"] = [boot for boot in agent.refused_boots if boot != boot_id]
    Agent.objects.filter(pk=agent.pk).update(boots=state, updated_at=timezone.now())


@transaction.atomic
def undo_merge(*, actor: Actor, conflict: IdentityConflict) -> Host:
    """Take the merge of a conflict back; the conflict is open again.

    Raises:
        Conflict: there is none, or it cannot be taken back any more.
    """
    held = IdentityConflict.objects.select_for_update().get(pk=conflict.pk)
    if not held.undo:
        raise Conflict(_("There is no merge to take back."), code="cannot_undo")
    back = merging.unmerge(actor=actor, undo=held.undo)
    key = f"{held.kind}:{held.fingerprint}"
    taken = IdentityConflict.objects.filter(open_key=key).exists()
    held.open_key = None if taken else key
    held.verdict, held.chosen, held.undo, held.used_at = "", None, None, None
    held.decided_at, held.decided_by = None, ""
    held.save()
    audit.record(actor, "identityconflict.reopen", held, reason=f"#{back.pk}")
    provenance.refresh_dispute(held.hosts.all())
    return back
