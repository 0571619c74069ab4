"""What a cabinet looks like from the front and from the rear: rectangles for the page to draw."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from cmdb.models import Cabinet, CabinetReservation, Host
from cmdb.racks import SIDES

UNIT = 22  # height of one unit in the drawing
WIDTH = 220
LEFT = 30
LETTERS = 28


@dataclass(frozen=True)
class Box:
    """Something in a cabinet, as a rectangle."""

    x: int
    y: float
    height: float
    text: str
    title: str
    url: str
    state: str

    @property
    def middle(self) -> float:
        """Say where its text stands."""
        return self.y + self.height / 2


def elevation(request: HttpRequest, cabinet: Cabinet) -> dict[str, Any]:
    """Give {sides: [{label, boxes}], units, zero, used, ...}; machines out of the reader's scope are drawn without a name."""
    user: Any = request.user
    standing = Host.objects.filter(cabinet=cabinet, cabinet_unit__isnull=False)
    seen = Host.objects.visible_to(user).filter(cabinet=cabinet)
    rows = seen.select_related("status").order_by("hostname", "pk")
    known = {host.pk: host for host in rows}
    boxes: dict[str, list[Box]] = {"front": [], "rear": []}
    for host in standing.exclude(unit_height=0).order_by("cabinet_unit", "pk"):
        _draw(boxes, cabinet, host, known.get(host.pk))
    for kept in CabinetReservation.objects.filter(cabinet=cabinet):
        _draw(boxes, cabinet, kept, kept)
    labels = {"front": _("Front"), "rear": _("Rear")}
    zero = seen.filter(Q(unit_height=0) | Q(cabinet_unit=None)).order_by("hostname")
    filled = cabinet.slots.values("half").distinct().count()
    return {
        "sides": [{"label": labels[side], "boxes": boxes[side]} for side in boxes],
        "units": [
            {"number": number, "y": _top(cabinet, Decimal(number), Decimal(1))}
            for number in range(1, cabinet.units + 1)
        ],
        "zero": zero[:200],
        "used": f"{filled / 2:g}",
        "height": cabinet.units * UNIT,
        "width": WIDTH + LEFT,
        "left": LEFT,
        "box_width": WIDTH,
        "unit": UNIT,
    }


def _draw(
    boxes: dict[str, list[Box]], cabinet: Cabinet, thing: Any, shown: Any
) -> None:
    reserved = isinstance(thing, CabinetReservation)
    name = str(shown) if shown is not None else _("not for you to see")
    status = getattr(shown, "status", None)
    height = thing.unit_height
    units = _("unit %(unit)s, %(height)s U") % {
        "unit": f"{thing.cabinet_unit:g}",
        "height": f"{height:g}",
    }
    box = Box(
        x=LEFT,
        y=_top(cabinet, thing.cabinet_unit, height),
        height=float(height) * UNIT,
        text=_short(name),
        title=f"{name} ({units})",
        url=shown.get_absolute_url() if shown is not None else "",
        state="reserved" if reserved else status.state if status else "idle",
    )
    for side in SIDES[thing.cabinet_face]:
        boxes[side].append(box)


def _top(cabinet: Cabinet, unit: Decimal, height: Decimal) -> float:
    return float((cabinet.units + 1 - unit - height) * UNIT)


def _short(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…"


def free_halves(cabinet: Cabinet, sides: Iterable[str]) -> set[int]:
    """Give the half units that nothing fills on these sides."""
    taken = set(
        cabinet.slots.filter(side__in=list(sides)).values_list("half", flat=True)
    )
    return set(range(2, 2 * cabinet.units + 2)) - taken
