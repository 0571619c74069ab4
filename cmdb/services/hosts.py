"""Every write to a host by a person: its fields, its key, its end, its union with a discovered one."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.errors import Conflict
from cmdb import hostkeys
from cmdb.models import Agent, GroupMembership, Host, HostIdentifier
from cmdb.services.agents import forget_recent
from cmdb.services.reports import SHARED_FIELDS, write_facts

# What a discovered host has and the one entered by hand takes over.
MOVED = {Agent, GroupMembership, HostIdentifier}


def save_host(*, actor: Actor, form: Any) -> Host:
    """Save a host's form: a field that the person set is kept from the agent, one that was emptied is the agent's again."""
    touched = [name for name in SHARED_FIELDS if name in form.changed_data]
    emptied = {name for name in touched if form.cleaned_data[name] in (None, "")}
    before = set(form.instance.locked_fields)
    locked = (before | set(touched)) - emptied
    form.instance.locked_fields = sorted(locked)
    with transaction.atomic():
        host: Host = crud.save(actor=actor, form=form)  # type: ignore[assignment]
        if before - locked:
            # The next report must not pass as unchanged: the agent fills the field again.
            Agent.objects.filter(host=host).update(facts_hash="")
    return host


def delete_host(*, actor: Actor, instance: Host) -> None:
    """Delete a host; its agent may not report any more.

    Raises:
        Conflict: other objects need this host.
    """
    with transaction.atomic():
        for agent in Agent.objects.filter(host=instance, revoked_at=None):
            agent.revoked_at = timezone.now()
            agent.save(update_fields=["revoked_at", "updated_at"])
            audit.record(actor, "agent.revoke", agent, reason="host deleted")
        crud.delete(actor=actor, instance=instance)
        transaction.on_commit(forget_recent)


@transaction.atomic
def accept_host_key(*, actor: Actor, host: Host, public_key: str) -> None:
    """Pin a host's public key: from now on only a machine that holds it is this host.

    Raises:
        DomainError: the text is no host key.
    """
    key = hostkeys.normalised(public_key)
    old = hostkeys.fingerprint(host.host_key) if host.host_key else None
    if key == host.host_key:
        return
    host.host_key = key
    host.save(update_fields=["host_key", "updated_at"])
    change = {"field": "host_key", "old": old, "new": hostkeys.fingerprint(key)}
    audit.record(actor, "host.accept_key", host, changes=[change])


@transaction.atomic
def forget_host_key(*, actor: Actor, host: Host) -> None:
    """Take back a pinned key: the next contact needs a new acceptance."""
    if not host.host_key:
        return
    change = {
        "field": "host_key",
        "old": hostkeys.fingerprint(host.host_key),
        "new": None,
    }
    host.host_key = ""
    host.save(update_fields=["host_key", "updated_at"])
    audit.record(actor, "host.forget_key", host, changes=[change])


@transaction.atomic
def link_agent(*, actor: Actor, agent: Agent, host: Host) -> None:
    """Say that a discovered host is really this one, which was entered by hand: agent and evidence move, the discovered one goes.

    Raises:
        Conflict: the host has an agent of its own, or the discovered one has a history that would be lost.
    """
    discovered = agent.host
    if discovered is None or discovered.pk == host.pk:
        raise Conflict(_("There is nothing to move."), code="nothing_to_link")
    if Agent.objects.filter(host=host).exists():
        raise Conflict(
            _("%(host)s has an agent already.") % {"host": host},
            _("Revoke and remove that one first."),
            code="has_agent",
        )
    _refuse_history(discovered)
    facts, name = discovered.facts, str(discovered)
    HostIdentifier.objects.filter(host=discovered).update(host=host)
    agent.host = host
    agent.save(update_fields=["host", "updated_at"])
    groups = list(discovered.groups.all())
    crud.delete(actor=actor, instance=Host.objects.get(pk=discovered.pk))
    host.groups.add(*groups)
    changes = write_facts(host, facts)
    reason = _("was discovered as %(name)s") % {"name": name}
    audit.record(actor, "host.link", host, changes=changes, reason=reason)
    transaction.on_commit(forget_recent)


def _refuse_history(host: Host) -> None:
    for relation in host._meta.related_objects:
        if relation.related_model in MOVED or relation.many_to_many:
            continue
        owner: Any = relation.related_model
        if owner._base_manager.filter(**{relation.field.name: host.pk}).exists():
            raise Conflict(
                _("%(host)s has a history: %(what)s.")
                % {
                    "host": host,
                    "what": owner._meta.verbose_name_plural,
                },
                _("Keep it, and delete the host that was entered by hand instead."),
                code="has_history",
            )
