"""Asking for approval: which rules a run falls under, and what the approvers are shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import audit
from adminset.unseen import visible
from cmdb import membership
from cmdb.models import Host
from tasks.approvals.seals import kept, seals_of_run
from tasks.approvals.showing import parts_of
from tasks.models import Approval, ApprovalRule, Run
from tasks.services.specs import spec_of

RUN = "run"
STEP = "step"
# Names and characters that an approval keeps for its page.
NAMES = 200
CHARACTERS = 100_000


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is to be approved: its kind and id, who asked, what its parts hash to and how it is shown."""

    kind: str
    object_id: int
    title: str
    requested_by: Any
    seals: Mapping[str, str]
    sentence: str
    hosts: Sequence[Host] = ()
    parts: Sequence[tuple[str, str]] = field(default_factory=list)


def ask_for_run(*, run: Run) -> list[Approval]:
    """Ask for what a run needs before it may start; call it in the transaction that makes the run, when its hosts are there.

    Gives the approvals that were asked for: none where no rule applies.
    """
    rules = rules_for(run)
    if not rules:
        return []
    subject = _subject_of(run)
    asked = [ask(rule=rule, subject=subject) for rule in rules]
    words = _("It waits for approval: %(rules)s.") % {
        "rules": ", ".join(rule.name for rule in rules)
    }
    Run.objects.filter(pk=run.pk).update(explanation=words)
    run.explanation = words
    return asked


def needs_approval(run: Run) -> Approval | None:
    """Give an approval for which a run waits, None where it waits for none."""
    return approvals_of(RUN, run.pk).open().first()


def approvals_of(kind: str, object_id: int) -> Any:
    """Give the approvals that were asked for something."""
    return Approval.objects.filter(kind=kind, object_id=object_id)


def ask(*, rule: ApprovalRule, subject: Subject) -> Approval:
    """Write down that something waits for the word of others."""
    approval = Approval.objects.create(
        kind=subject.kind,
        object_id=subject.object_id,
        title=visible(subject.title)[:200],
        rule=rule,
        rule_name=rule.name,
        needed=rule.needed,
        seals=kept(subject.seals),
        detail=_detail(subject),
        requested_by=subject.requested_by,
        requested_by_name=subject.requested_by.username,
        expires_at=timezone.now() + timedelta(minutes=rule.expires_minutes),
    )
    approval.hosts.set(subject.hosts)
    told = {"rule": rule.name, "needed": rule.needed, "expires": approval.expires_at}
    changes = [{"field": name, "old": None, "new": str(told[name])} for name in told]
    audit.record(subject.requested_by, "approval.ask", approval, changes=changes)
    return approval


def _detail(subject: Subject) -> dict[str, Any]:
    names = [visible(host.hostname) for host in subject.hosts]
    return {
        "sentence": subject.sentence,
        "hosts": names[:NAMES],
        "more": max(len(names) - NAMES, 0),
        "parts": [
            {"title": visible(str(title)), "text": _shown(text)}
            for title, text in subject.parts
        ],
    }


def _shown(text: str) -> str:
    """Give a text as it may be read: what cannot be seen made visible, what is left out said."""
    shown = visible(text[:CHARACTERS]) or "-"
    left = len(text) - CHARACTERS
    if left <= 0:
        return shown
    words = ngettext(
        "[%(count)s further character is not shown here.]",
        "[%(count)s further characters are not shown here.]",
        left,
    )
    return f"{shown}\n{words % {'count': left}}"


def rules_for(run: Run) -> list[ApprovalRule]:
    """Give the rules under which a run falls, by its kind and its hosts; one of a task module falls under those of what that came to, too."""
    kinds = {run.kind, *([Run.Kind.TASK_MODULE] if run.task_module_id else [])}
    rules = ApprovalRule.objects.filter(enabled=True, automatic=True)
    hosts = Host.objects.filter(pk__in=run.hosts.meant().values("host"))
    return [
        rule
        for rule in rules.prefetch_related("host_groups", "tags")
        if (not rule.kinds or kinds & set(rule.kinds)) and _fits(rule, hosts)
    ]


def _fits(rule: ApprovalRule, hosts: QuerySet[Host]) -> bool:
    groups = [group.pk for group in rule.host_groups.all()]
    tags = [tag.pk for tag in rule.tags.all()]
    if not groups and not tags and not rule.critical:
        return True
    within = Q(tags__in=tags) if tags else Q(pk__in=())
    if groups:
        within |= membership.of_groups(groups)
    return hosts.filter(within).exists() or (rule.critical and bool(critical_of(hosts)))


def critical_of(hosts: QuerySet[Host]) -> set[int]:
    """Give the ids of the hosts that count as critical, by a tag or by a value of a further field."""
    found = hosts.filter(tags__name__in=settings.RUN_CRITICAL_TAGS)
    ids = set(found.order_by().values_list("pk", flat=True))
    rules = [rule.partition("=") for rule in settings.RUN_CRITICAL_FIELDS]
    wanted = {(key.strip(), value.strip().lower()) for key, _equals, value in rules}
    for pk, custom in hosts.order_by().values_list("pk", "custom"):
        known = custom if isinstance(custom, dict) else {}
        if any(str(known.get(key, "")).lower() == value for key, value in wanted):
            ids.add(pk)
    return ids


def _subject_of(run: Run) -> Subject:
    hosts = Host.objects.filter(pk__in=run.hosts.meant().values("host"))
    frozen = {"version": run.version, "playbook_text": run.playbook_text}
    spec = spec_of(run, role_versions=run.role_versions, **frozen)
    return Subject(
        kind=RUN,
        object_id=run.pk,
        title=str(run),
        requested_by=run.requested_by,
        seals=seals_of_run(run),
        sentence=radius(hosts),
        hosts=list(hosts.order_by("hostname", "pk")),
        parts=parts_of(spec),
    )


def radius(hosts: QuerySet[Host]) -> str:
    """Say what work on some hosts touches: "12 hosts in 3 groups; 2 of them are critical."."""
    count, critical = hosts.count(), len(critical_of(hosts))
    groups = hosts.exclude(groups=None).order_by().values("groups").distinct().count()
    words = ngettext("%(count)s host", "%(count)s hosts", count) % {"count": count}
    words += ngettext(" in %(count)s group", " in %(count)s groups", groups) % {
        "count": groups
    }
    if not critical:
        return f"{words}."
    return ngettext(
        "%(hosts)s; %(count)s of them is critical.",
        "%(hosts)s; %(count)s of them are critical.",
        critical,
    ) % {"hosts": words, "count": critical}
