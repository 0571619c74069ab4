"""Every write to a host by a person: its fields, its key, its end, its union with a discovered one."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.errors import Conflict
from cmdb import hostkeys
from cmdb.extensions import host_merged
from cmdb.models import (
    Agent,
    Disk,
    FieldSource,
    GroupMembership,
    Host,
    HostIdentifier,
    IpAddress,
    Nic,
    Source,
)
from cmdb.services import provenance
from cmdb.services.agents import forget_recent
from cmdb.services.entering import no_entry
from cmdb.services.racks import occupy, place_of
from cmdb.services.reports import SHARED_FIELDS, write_facts

# What a discovered host has and the one entered by hand takes over, or gets anew from the same facts.
MOVED = {
    Agent,
    GroupMembership,
    HostIdentifier,
    FieldSource,
    Nic,
    Disk,
    IpAddress,
}

PLACE = {"cabinet", "cabinet_unit", "unit_height", "cabinet_face"}


def save_host(
    *, actor: Actor, form: Any, source: Source = Source.PERSON, by: str = ""
) -> Host:
    """Save a host's form: a field that was set is kept from weaker sources, one that was emptied is the agent's again.

    Args:
        source: who says so. What an import or a contract says of a field that a stronger source holds is left out.
        by: name of the import or the contract; a person is the actor.
    """
    is_new = form.instance._state.adding
    touched, refused = _touched(form, source)
    emptied = {name for name in touched if form.cleaned_data[name] in (None, "")}
    before = set(form.instance.locked_fields)
    locked = before - emptied
    if source == Source.PERSON:
        locked |= set(touched) - emptied
    form.instance.locked_fields = sorted(locked)
    known = [] if form.instance._state.adding else [form.instance.pk]
    with transaction.atomic(), no_entry(form.user, known):
        host: Host = crud.save(actor=actor, form=form)  # type: ignore[assignment]
        if PLACE & set(form.changed_data) and not (is_new and not place_of(host)):
            occupy(host)
        set_now = [name for name in touched if name not in emptied]
        provenance.release(host=host, fields=emptied)
        provenance.claim(
            host=host,
            fields=set_now,
            source=source,
            by=by or actor.audit_name,
            is_new=is_new,
        )
        if refused:
            # Kept beside the field as what the weaker source says.
            provenance.write(host=host, values=refused, source=source)
        if emptied:
            # The next report must not pass as unchanged: the agent fills the field again.
            Agent.objects.filter(host=host).update(facts_hash="")
    return host


def import_host(*, actor: Actor, form: Any, by: str) -> Host:
    """Save a host's form as the row of an imported file says it; see save_host."""
    return save_host(actor=actor, form=form, source=Source.IMPORT, by=by)


def held_from_imports(host: Host, names: Iterable[str]) -> set[str]:
    """Name those of a host's fields that a person has set: an import leaves them."""
    return provenance.stronger(host, names, Source.IMPORT)


def _touched(form: Any, source: Source) -> tuple[list[str], dict[str, Any]]:
    """List the shared fields that a form changes; those that a stronger source holds get their old value back.

    Returns:
        the fields, and what was said of the held ones.
    """
    changed = [name for name in SHARED_FIELDS if name in form.changed_data]
    held = provenance.stronger(form.instance, changed, source)
    if held:
        old = Host.objects.get(pk=form.instance.pk)
        for name in held:
            setattr(form.instance, name, getattr(old, name))
    refused = {name: form.cleaned_data[name] for name in sorted(held)}
    return [name for name in changed if name not in held], refused


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
        Forbidden: the host would come into the actor's own reach by the groups or facts of the discovered one.
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
    for tell in host_merged:
        tell(discovered.pk, host.pk)
    crud.delete(actor=actor, instance=Host.objects.get(pk=discovered.pk))
    with no_entry(actor, [host.pk], by_any_way=True):
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
