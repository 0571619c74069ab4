"""Makes objects for tests: plain functions, each with the least that is needed."""

import itertools
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission

from accounts.models import Grant, GrantScope, Role, User
from cmdb.models import HOST_GROUP_SCOPE, Cabinet, Host, HostGroup, Idc

_numbers = itertools.count(1)
PASSWORD = "correct horse battery"


def make_user(
    username: str = "",
    *,
    perms: Iterable[str] = (),
    groups: Iterable[HostGroup] = (),
    **fields: Any,
) -> User:
    """Make a user who holds `perms` ("cmdb.view_host", "*.view_*"): everywhere, or in the given host groups."""
    user = User.objects.create_user(
        username or f"user{next(_numbers)}", PASSWORD, **fields
    )
    wanted = list(perms)
    if wanted:
        grant(user, wanted, groups)
    return user


def grant(user: User, perms: Iterable[str], groups: Iterable[HostGroup] = ()) -> Grant:
    """Give a user some permissions: everywhere, or in the given host groups."""
    role = Role.objects.create(name=f"role {next(_numbers)}")
    role.permissions.set(
        itertools.chain.from_iterable(_permissions(name) for name in perms)
    )
    scoped = list(groups)
    made = Grant.objects.create(user=user, role=role, everything=not scoped)
    for group in scoped:
        GrantScope.objects.create(grant=made, kind=HOST_GROUP_SCOPE, object_id=group.pk)
    user.__dict__.pop("_permissions", None)
    return made


def _permissions(name: str) -> Iterable[Permission]:
    label, _, codename = name.partition(".")
    if name == "*.view_*":
        return Permission.objects.filter(codename__startswith="view_")
    found = Permission.objects.filter(content_type__app_label=label, codename=codename)
    assert found, f"there is no permission {name}"
    return found


def make_group(name: str = "") -> HostGroup:
    """Make a host group."""
    return HostGroup.objects.create(name=name or f"group{next(_numbers)}")


def make_idc(name: str = "", **fields: Any) -> Idc:
    """Make a data centre."""
    number = next(_numbers)
    return Idc.objects.create(
        name=name or f"IDC {number}", code=f"idc{number}", **fields
    )


def make_cabinet(idc: Idc | None = None, **fields: Any) -> Cabinet:
    """Make a cabinet."""
    return Cabinet.objects.create(
        idc=idc or make_idc(), name=fields.pop("name", f"R{next(_numbers)}"), **fields
    )


def make_host(
    hostname: str = "", *, groups: Iterable[HostGroup] = (), **fields: Any
) -> Host:
    """Make a host, in the given groups."""
    number = next(_numbers)
    fields.setdefault(
        "address",
        f"10.{number // 62500 % 250}.{number // 250 % 250}.{number % 250 + 1}",
    )
    host = Host.objects.create(hostname=hostname or f"host{number}", **fields)
    host.groups.set(groups)
    return host
