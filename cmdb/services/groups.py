"""Every write to a host group: its fields and its members."""

from typing import Any

from django.db import transaction

from adminset import audit
from adminset.audit import Actor
from adminset.crud import services as crud
from cmdb import membership
from cmdb.models import EnrolmentToken, Host, HostGroup
from cmdb.services.entering import no_entry
from cmdb.services.tokens import revoke_enrolment_token

NAMES_IN_TRAIL = 50
# A deleted group of more hosts is not brought back with them: its line would be too long.
MEMBERS_IN_TRAIL = 1000


def save_group(*, actor: Actor, form: Any) -> HostGroup:
    """Save a group's form; of its members only those that the person may change come or go."""
    with transaction.atomic():
        group: HostGroup = crud.save(actor=actor, form=form)  # type: ignore[assignment]
        membership.forget()
        if "hosts" in form.changed_data and not group.is_dynamic:
            _set_members(actor, group, form.cleaned_data["hosts"], form.user)
    return group


def delete_group(*, actor: Actor, instance: HostGroup) -> None:
    """Delete a group; its enrolment tokens end with it: without their group they would reach every host."""
    with transaction.atomic():
        for token in EnrolmentToken.objects.filter(group=instance):
            revoke_enrolment_token(actor=actor, token=token)
        crud.delete(actor=actor, instance=instance, further=_last_members(instance))
        membership.forget()


def _last_members(group: HostGroup) -> list[audit.Change]:
    """Tell who was in a group, so that a revert brings it back with them; very large groups come back empty."""
    rows = list(group.hosts.order_by("hostname", "pk").values_list("pk", "hostname"))
    if not rows or len(rows) > MEMBERS_IN_TRAIL:
        return []
    keys, names = zip(*rows, strict=True)
    return [
        {
            "field": "hosts",
            "old": list(names),
            "new": None,
            "old_id": list(keys),
            "new_id": None,
        }
    ]


def _set_members(actor: Actor, group: HostGroup, chosen: Any, user: Any) -> None:
    mine = Host.objects.visible_to(user, "change")
    now = set(group.hosts.filter(pk__in=mine).values_list("pk", flat=True))
    wanted = {host.pk for host in chosen}
    coming, going = wanted - now, now - wanted
    if not coming and not going:
        return
    # A dynamic group may ask for members of this one.
    with no_entry(user, coming | going):
        group.hosts.add(*coming)
        group.hosts.remove(*going)
    changes = [
        {"field": "hosts", "old": _names(going), "new": _names(coming)},
    ]
    audit.record(actor, "hostgroup.members", group, changes=changes)


def _names(keys: set[int]) -> list[str]:
    rows = Host.objects.filter(pk__in=sorted(keys)[:NAMES_IN_TRAIL])
    names = list(rows.values_list("hostname", flat=True))
    return [*names, f"+{len(keys) - len(names)}"] if len(keys) > len(names) else names
