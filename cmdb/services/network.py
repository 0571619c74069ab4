"""Writes subnets and addresses: an address is always in the innermost subnet that holds it, and is given out once."""

from typing import Any

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import Actor
from adminset.crud import search_terms
from adminset.crud import services as crud
from adminset.crud.forms import ResourceForm
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import may
from cmdb import addresses, utilisation
from cmdb.models import Host, IpAddress, Subnet

# Others may take the address that was free a moment ago.
TRIES = 5


def save_once(*, actor: Actor, form: ResourceForm) -> models.Model:
    """Save a row that may be there only once, also where somebody else writes it at this moment.

    Raises:
        Conflict: somebody else was quicker.
    """
    try:
        with transaction.atomic():
            return crud.save(actor=actor, form=form)
    except IntegrityError as error:
        raise Conflict(
            _("%(name)s is there already.") % {"name": form.instance},
            _("Somebody else has just written it: look at the list."),
            code="already_there",
        ) from error


@transaction.atomic
def save_subnet(*, actor: Actor, form: ResourceForm) -> models.Model:
    """Save a subnet, and let the addresses that it holds belong to it.

    Raises:
        Conflict: the area has it already.
    """
    old = None
    if form.instance.pk:
        old = Subnet.objects.select_for_update().get(pk=form.instance.pk)
    moved = {"cidr", "area"} & set(form.changed_data)
    subnet = save_once(actor=actor, form=form)
    if isinstance(subnet, Subnet) and (old is None or moved):
        if old is not None:
            _release(old)
        _settle(subnet)
    return subnet


@transaction.atomic
def delete_subnet(*, actor: Actor, instance: Subnet) -> None:
    """Delete a subnet; its addresses stay, in the container around it if there is one."""
    pk = instance.pk
    crud.delete(actor=actor, instance=instance)
    instance.pk = pk
    _release(instance)


def _settle(subnet: Subnet) -> None:
    around = Subnet.objects.holding(subnet.area, subnet.first_key, subnet.last_key)
    outer = list(around.exclude(pk=subnet.pk).values_list("pk", flat=True))
    loose = models.Q(subnet=None) | models.Q(subnet__in=outer)
    _rows_within(subnet).filter(loose).update(subnet=subnet)


def _release(old: Subnet) -> None:
    """Give the addresses of a subnet that is gone from its place to the container around it."""
    IpAddress.objects.filter(subnet=old.pk).update(subnet=None)
    around = Subnet.objects.holding(old.area, old.first_key, old.last_key)
    _rows_within(old).filter(subnet=None).update(subnet=around.first())


def _rows_within(subnet: Subnet) -> models.QuerySet:
    keys = (subnet.first_key, subnet.last_key)
    return IpAddress.objects.filter(area=subnet.area, key__range=keys)


@transaction.atomic
def reserve_next(
    *,
    actor: Actor,
    subnet: Subnet,
    name: str = "",
    host: Host | None = None,
    notes: str = "",
) -> IpAddress:
    """Reserve the lowest free address of a subnet: two who ask at once get two addresses.

    Raises:
        DomainError: a container gives out no addresses.
        Conflict: there is none left.
    """
    # Those who ask at once wait for each other; the unique constraint holds where others write by another way.
    subnet = Subnet.objects.select_for_update().get(pk=subnet.pk)
    if subnet.is_container:
        raise DomainError(
            _("%(subnet)s is a container and gives out no addresses.")
            % {"subnet": subnet},
            _("Choose one of the subnets within it."),
            code="is_container",
        )
    for _try in range(TRIES):
        found = utilisation.next_free(subnet)
        if found is None:
            break
        values: dict[str, Any] = {"name": name, "host": host, "notes": notes}
        if row := _take(subnet, found, values):
            changes = audit.changed({}, audit.snapshot(row))
            audit.record(actor, "ipaddress.reserve", row, changes=changes)
            return row
    raise Conflict(
        _("%(subnet)s has no free address left.") % {"subnet": subnet},
        _("Free an address that nobody uses, or take another subnet."),
        code="subnet_full",
    )


def _take(
    subnet: Subnet, found: addresses.Address, values: dict[str, Any]
) -> IpAddress | None:
    values = values | {"status": IpAddress.Status.RESERVED, "subnet": subnet}
    again = {"nic": None, "absent_since": None, "updated_at": timezone.now()}
    key = addresses.key_of(found)
    free = IpAddress.objects.filter(area=subnet.area, key=key)
    # One that a host is written down for may be somebody else's to see: it is left out.
    nobodys = free.filter(status=IpAddress.Status.FREE, host=None, nic=None)
    if nobodys.update(**values, **again):
        row = free.get()
        search_terms.index(row)
        return row
    try:
        with transaction.atomic():
            row = IpAddress(address=str(found), area=subnet.area, **values)
            row.save(force_insert=True)
            return row
    except IntegrityError:
        return None


def reserve_checked(
    *,
    user: Any,
    subnet: Subnet,
    name: str = "",
    host: Host | None = None,
    notes: str = "",
) -> IpAddress:
    """Reserve as a person does: what is reserved must lie where the person may add addresses.

    Raises:
        Forbidden: it would lie outside the scope; nothing is kept.
        DomainError, Conflict: see `reserve_next`.
    """
    with transaction.atomic():
        row = reserve_next(actor=user, subnet=subnet, name=name, host=host, notes=notes)
        if not may(user, "add", row):
            raise Forbidden(
                _("You may not reserve an address without a host of your own."),
                _("Name a host that you are responsible for."),
                code="out_of_scope",
            )
    return row
