"""Makes one host of two that are the same machine, and takes that back: what belonged to the one that goes moves along."""

from typing import Any

from django.apps import apps
from django.core import serializers
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.errors import Conflict
from cmdb.extensions import host_merged
from cmdb.models import Agent, Host, Relation
from cmdb.services import provenance
from cmdb.services.entering import no_entry
from cmdb.services.racks import occupy
from cmdb.services.recent import forget_recent
from cmdb.services.taken import Link, bring_back, take_away

# What says something of the one host only: it comes back with it, and does not move.
SLOT = "cmdb.cabinetslot"
STAYS = frozenset({"cmdb.fieldsource", SLOT})
# Where a host stands is where the one that stays stands; the others are not told by people.
NOT_FILLED = frozenset(
    {
        "id",
        "cabinet",
        "cabinet_unit",
        "unit_height",
        "cabinet_face",
        "hypervisor",
        "credential",
        "host_key",
        "custom",
        "facts",
        "locked_fields",
        "disputed",
        "created_at",
        "updated_at",
    }
)
Undo = dict[str, Any]


@transaction.atomic
def merge(*, actor: Actor, kept: Host, gone: Host) -> Undo:
    """Fold one host into another; gives what `unmerge` needs, as JSON.

    Rows of every kind that point at the one that goes, its identifiers too, point at the one that stays; empty fields
    are filled; the agent that reports stays.

    Raises:
        Conflict: both agents report, or one host runs on the other: they are two machines.
        Forbidden: the one that stays would come into the actor's own reach.
    """
    _refuse_two(kept, gone)
    undo: Undo = {"kept": kept.pk, "gone": gone.pk, "name": str(gone), "at": _now()}
    with no_entry(actor, [kept.pk], by_any_way=True):
        undo["filled"] = _fill(kept, gone)
        undo["agents"] = _one_agent(actor, kept, gone)
        undo["row"] = serializers.serialize("json", [gone])
        undo["moved"], undo["left"], undo["links"] = _move_all(gone, kept)
    # By key: who reads the history of the one may not see the other.
    reason = _("was %(name)s too") % {"name": f"#{gone.pk}"}
    audit.record(actor, "host.merge", kept, changes=undo["filled"], reason=reason)
    audit.record(actor, "host.merge_away", gone, reason=f"#{kept.pk}")
    Host.objects.get(pk=gone.pk).delete()
    for tell in host_merged:
        tell(undo["gone"], undo["kept"])
    provenance.refresh_dispute([kept])
    transaction.on_commit(forget_recent)
    return undo


def _now() -> str:
    return timezone.now().isoformat(timespec="seconds")


def _refuse_two(kept: Host, gone: Host) -> None:
    agents = Agent.objects.filter(host__in=[kept.pk, gone.pk])
    alive = [agent for agent in agents if agent.is_live]
    nested = gone.pk in (kept.hypervisor_id, kept.pk) or gone.hypervisor_id == kept.pk
    if len(alive) > 1 or nested:
        raise Conflict(
            _("%(one)s and %(other)s are two machines.") % {"one": kept, "other": gone},
            _(
                "The agents of both report, or one runs on the other: they cannot be one."
            ),
            code="two_machines",
        )


def _fill(kept: Host, gone: Host) -> list[dict[str, Any]]:
    filled = []
    for field in Host._meta.concrete_fields:
        mine, theirs = getattr(kept, field.attname), getattr(gone, field.attname)
        if field.name in NOT_FILLED or mine not in (None, "") or theirs in (None, ""):
            continue
        setattr(kept, field.attname, theirs)
        filled.append({"field": field.attname, "old": mine, "new": theirs})
    if filled:
        kept.save()
    plain = audit.snapshot(kept)
    for change in filled:
        if not isinstance(change["new"], str | int):
            change["new"] = plain.get(change["field"], str(change["new"]))
    return filled


def _one_agent(actor: Actor, kept: Host, gone: Host) -> list[dict[str, Any]]:
    """Leave one agent: the one that reports, else that of the host that stays; notes where each was."""
    agents = list(Agent.objects.select_for_update().filter(host__in=[kept, gone]))
    before = [
        {"agent": a.pk, "host": a.host_id, "ended": a.revoked_at is None}
        for a in agents
    ]
    best = max(agents, key=lambda a: (a.is_live, a.host_id == kept.pk), default=None)
    for agent in agents:
        if agent is not best:
            agent.host, agent.revoked_at = None, agent.revoked_at or timezone.now()
            agent.save(update_fields=["host", "revoked_at", "updated_at"])
            audit.record(actor, "agent.revoke", agent, reason="hosts merged")
    if best is not None:
        best.host, best.facts_hash = kept, ""
        best.save(update_fields=["host", "facts_hash", "updated_at"])
    return before


def _move_all(gone: Host, kept: Host) -> tuple[list[Undo], list[str], list[Link]]:
    moved: list[Undo] = []
    left: list[models.Model] = []
    for relation in Host._meta.get_fields(include_hidden=True):
        if not (relation.one_to_many or relation.one_to_one) or relation.concrete:
            continue
        owner: Any = relation.related_model
        if owner is Agent:
            continue
        name = relation.field.name  # type: ignore[union-attr]
        rows = owner._base_manager.filter(**{name: gone.pk})
        keys = list(rows.values_list("pk", flat=True))
        if owner._meta.label_lower in STAYS:
            left += list(rows)
        elif keys:
            done, stuck = _move(owner, name, keys, kept)
            left += stuck
            moved.append({"model": owner._meta.label, "field": name, "keys": done})
    for side in ("from", "to"):
        rows = Relation.objects.filter(
            **{f"{side}_type": "cmdb.host", f"{side}_id": gone.pk}
        )
        # What relates the two would relate the one that stays to itself.
        between = [each for each in rows if kept.pk in (each.from_id, each.to_id)]
        keys = [each.pk for each in rows if each not in between]
        done, stuck = _move(Relation, f"{side}_id", keys, kept)
        left += [*between, *stuck]
        moved.append({"model": "cmdb.Relation", "field": f"{side}_id", "keys": done})
    return moved, *take_away(left)


def _move(
    owner: Any, name: str, keys: list[Any], kept: Host
) -> tuple[list[Any], list[models.Model]]:
    rows = owner._base_manager.filter(pk__in=keys)
    try:
        with transaction.atomic():
            rows.update(**{name: kept.pk})
            return keys, []
    except IntegrityError:
        # The host that stays has some of these itself.
        pass
    done, stuck = [], []
    for row in rows:
        try:
            with transaction.atomic():
                owner._base_manager.filter(pk=row.pk).update(**{name: kept.pk})
                done.append(row.pk)
        except IntegrityError:
            stuck.append(row)
    return done, stuck


@transaction.atomic
def unmerge(*, actor: Actor, undo: Undo) -> Host:
    """Take a merge back: the host that went comes back under its number, with all that moved.

    What it referred to and is deleted since stays empty; a unit that was given away meanwhile too.

    Raises:
        Conflict: the host that stayed is gone since, the number or something else of it is taken.
        Forbidden: the one that stayed would come into the actor's own reach.
    """
    kept = Host.objects.filter(pk=undo["kept"]).first()
    if kept is None or Host.objects.filter(pk=undo["gone"]).exists():
        raise _cannot_undo()
    try:
        with transaction.atomic(), no_entry(actor, [kept.pk], by_any_way=True):
            gone = _bring_back(kept, undo)
            if connection.features.can_defer_constraint_checks:
                connection.check_constraints([Host._meta.db_table])
    except IntegrityError as error:
        raise _cannot_undo() from error
    audit.record(actor, "host.unmerge", kept, reason=f"#{gone.pk}")
    audit.record(actor, "host.unmerge", gone, reason=f"#{kept.pk}")
    provenance.refresh_dispute([kept, gone])
    transaction.on_commit(forget_recent)
    return gone


def _cannot_undo() -> Conflict:
    return Conflict(
        _("This merge cannot be taken back: the hosts are others now."),
        _("Look into the audit trail for what happened to them since."),
        code="cannot_undo",
    )


def _bring_back(kept: Host, undo: Undo) -> Host:
    # Units are filled anew below, if they are free.
    texts = [undo["row"], *undo["left"]]
    bring_back(texts, undo.get("links", []), without=SLOT)
    gone = Host.objects.get(pk=undo["gone"])
    for moved in undo["moved"]:
        owner: Any = apps.get_model(moved["model"])
        rows = owner._base_manager.filter(pk__in=moved["keys"])
        rows.filter(**{moved["field"]: kept.pk}).update(**{moved["field"]: gone.pk})
    _empty_again(kept, undo["filled"])
    _agents_back(undo["agents"])
    _stand_again(gone)
    return gone


def _stand_again(gone: Host) -> None:
    try:
        occupy(gone)
    except Conflict:
        gone.cabinet_unit = None
        gone.save(update_fields=["cabinet_unit", "updated_at"])


def _empty_again(kept: Host, filled: list[dict[str, Any]]) -> None:
    for change in filled:
        if str(getattr(kept, change["field"])) == str(change["new"]):
            setattr(kept, change["field"], change["old"])
    kept.save()


def _agents_back(before: list[dict[str, Any]]) -> None:
    rows = Agent.objects.filter(pk__in=[each["agent"] for each in before])
    # All leave first: a host has one agent at a time.
    rows.update(host=None, facts_hash="")
    for each in before:
        back: dict[str, Any] = {"host_id": each["host"]}
        if each["ended"]:
            back["revoked_at"] = None
        rows.filter(pk=each["agent"]).update(**back)
