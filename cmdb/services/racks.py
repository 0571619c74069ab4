"""Puts machines and reservations into the units of cabinets; what is filled stays as it is."""

from decimal import Decimal
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.errors import Conflict
from cmdb.models import CabinetReservation, CabinetSlot, Host
from cmdb.racks import SIDES, halves_of


def place_of(thing: Host | CabinetReservation) -> frozenset[tuple[int, str]]:
    """Give the (half unit, side) pairs that something fills in its cabinet."""
    if thing.cabinet_id is None:
        return frozenset()
    halves = halves_of(thing.cabinet_unit, Decimal(thing.unit_height))
    sides = SIDES[thing.cabinet_face]
    return frozenset((half, side) for half in halves for side in sides)


def occupy(thing: Host | CabinetReservation) -> None:
    """Fill the units that a saved host or reservation stands in, and free those that it left. Call it in a transaction.

    Raises:
        Conflict: something else fills one of them; says what.
    """
    kind = "host" if isinstance(thing, Host) else "reservation"
    held = CabinetSlot.objects.filter(**{kind: thing})
    wanted = place_of(thing)
    if set(held.values_list("cabinet_id", "half", "side")) == {
        (thing.cabinet_id, *place) for place in wanted
    }:
        return
    held.delete()
    cabinet = thing.cabinet_id
    if cabinet is None or not wanted:
        return
    _ensure_free(thing, wanted)
    try:
        with transaction.atomic():
            CabinetSlot.objects.bulk_create(
                CabinetSlot(cabinet_id=cabinet, half=half, side=side, **{kind: thing})
                for half, side in sorted(wanted)
            )
    except IntegrityError:
        _ensure_free(thing, wanted)
        raise


def fillers(cabinet_id: int, wanted: frozenset[tuple[int, str]]) -> models.QuerySet:
    """Give the slots of a cabinet that are filled already, of those that are wanted."""
    halves = [half for half, _side in wanted]
    sides = {side for _half, side in wanted}
    rows = CabinetSlot.objects.filter(cabinet_id=cabinet_id, side__in=sides)
    return rows.filter(half__gte=min(halves), half__lte=max(halves))


def _ensure_free(
    thing: Host | CabinetReservation, wanted: frozenset[tuple[int, str]]
) -> None:
    taken = fillers(thing.cabinet_id or 0, wanted).select_related("reservation").first()
    if taken is None:
        return
    who = (
        _("reserved: %(name)s") % {"name": taken.reservation}
        if taken.reservation
        else _("another machine")
    )
    raise Conflict(
        _("Unit %(unit)s of this cabinet is taken (%(who)s).")
        % {"unit": f"{taken.half // 2}", "who": who},
        _("Choose a free unit: the cabinet's page draws them."),
        code="unit_taken",
        fields={"cabinet_unit": _("Taken.")},
    )


@transaction.atomic
def save_reservation(*, actor: Actor, form: Any) -> CabinetReservation:
    """Save reserved units.

    Raises:
        Conflict: something fills one of them.
    """
    saved: CabinetReservation = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    occupy(saved)
    return saved


def refill() -> int:
    """Work out all slots anew from the hosts and reservations; what overlaps is left out, and counted."""
    CabinetSlot.objects.all().delete()
    left_out = 0
    placed = Q(cabinet__isnull=False, cabinet_unit__isnull=False)
    for model in (Host, CabinetReservation):
        rows: models.QuerySet = model._default_manager.filter(placed)
        for thing in rows.order_by("pk"):
            try:
                with transaction.atomic():
                    occupy(thing)
            except Conflict:
                left_out += 1
    return left_out
