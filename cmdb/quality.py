"""What is wrong or missing in what the portal knows of hosts: each check one declaration, one question to the database."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import Left, Length, Lower, Replace, Trim
from django.db.models.lookups import Exact, In, LessThan
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cmdb import membership
from cmdb.models import (
    Host,
    HostIdentifier,
    IdentityConflict,
    IpAddress,
)
from cmdb.placeholders import LEAST_SERIAL, SERIALS

SOON = timedelta(days=90)
STANDS = (
    Host.Kind.PHYSICAL,
    Host.Kind.NETWORK,
    Host.Kind.SECURITY,
    Host.Kind.STORAGE,
)
RUNS_AGENTS = (Host.Kind.PHYSICAL, Host.Kind.VIRTUAL)
# Of a status that expects no agent: spare, broken, retired.
AT_REST = Q(status__monitored=False)
# What stands between the characters of a number that says nothing.
BETWEEN = "-._ :"


@dataclass(frozen=True)
class Check:
    """One thing that should not be.

    Attributes:
        key: its name in the address of the host list (`?quality=key`). why: why it matters. state: how bad it is.
        condition: (the hosts that the reader may see) -> those of them that it is about.
        permission: who is told besides being allowed to see the hosts.
    """

    key: str
    title: Any
    why: Any
    state: str
    condition: Callable[[QuerySet], Q]
    permission: str = ""

    def is_for(self, user: Any) -> bool:
        """Say whether the user is told."""
        return not self.permission or user.has_perm(self.permission)

    def among(self, rows: QuerySet, user: Any) -> QuerySet:
        """Narrow rows to what the check is about, as this user sees it."""
        if not self.is_for(user):
            return rows.none()
        return rows.filter(self.condition(Host.objects.visible_to(user)))


@dataclass(frozen=True)
class Found:
    """A check and how many hosts it is about."""

    check: Check
    number: int


def _bare(name: str) -> Any:
    """Give a text in small letters without what stands between its characters."""
    made: Any = Lower(F(name))
    for each in BETWEEN:
        made = Replace(made, Value(each), Value(""))
    return made


def _placeholder(_rows: QuerySet | None = None) -> Q:
    bare = _bare("serial")
    first: Any = Left(bare, 1)
    one_character = Exact(Replace(bare, first, Value("")), Value(""))
    says_nothing = (
        Q(In(Trim(Lower("serial")), sorted(SERIALS)))
        | Q(LessThan(Length(bare), LEAST_SERIAL))
        | Q(one_character)
    )
    return ~Q(serial="") & says_nothing


def _doubled(name: str, apart: Q | None = None) -> Callable[[QuerySet], Q]:
    """Make the condition that several of the hosts say the same in a field; `apart`: those that count for nothing."""

    def condition(rows: QuerySet) -> Q:
        said = rows.exclude(**{name: None} if name == "address" else {name: ""})
        if apart is not None:
            said = said.exclude(apart)
        many = said.order_by().values(name).annotate(n=Count("pk")).filter(n__gt=1)
        found = Q(**{f"{name}__in": many.values(name)})
        return found if apart is None else found & _not(apart)

    return condition


def _not(apart: Q) -> Q:
    """Negate a condition; by keys, so that hosts without a status count too."""
    return ~Q(pk__in=Host.objects.filter(apart).order_by().values("pk"))


def _where(**values: Any) -> Callable[[QuerySet], Q]:
    return lambda rows: Q(**values)


def _no_group(_rows: QuerySet) -> Q:
    members = Host.groups.through.objects.values("host_id")
    dynamic = membership.dynamic_groups().keys()
    nowhere = ~Q(pk__in=members)
    return nowhere & ~membership.of_groups(dynamic) if dynamic else nowhere


def _stale(_rows: QuerySet) -> Q:
    since = timezone.now() - timedelta(days=settings.QUALITY_STALE_DAYS)
    gone = Q(agent__revoked_at=None, agent__last_seen_at__lt=since)
    return gone & _not(AT_REST)


def _never_reported(_rows: QuerySet) -> Q:
    nobody = Q(agent=None) | Q(agent__last_seen_at=None)
    return Q(kind__in=RUNS_AGENTS) & nobody & _not(AT_REST)


def _outside(_rows: QuerySet) -> Q:
    loose = IpAddress.objects.filter(subnet=None, absent_since=None)
    return Q(pk__in=loose.exclude(host=None).order_by().values("host_id"))


def _warranty_over(_rows: QuerySet) -> Q:
    return Q(warranty_until__lt=timezone.localdate())


def _warranty_soon(_rows: QuerySet) -> Q:
    today = timezone.localdate()
    return Q(warranty_until__gte=today, warranty_until__lte=today + SOON)


def _shared(_rows: QuerySet) -> Q:
    shared = HostIdentifier.objects.filter(quality=HostIdentifier.Quality.SHARED)
    return Q(pk__in=shared.order_by().values("host_id"))


def _conflict(_rows: QuerySet) -> Q:
    involved = IdentityConflict.hosts.through.objects.filter(
        identityconflict__verdict=""
    )
    return Q(pk__in=involved.values("host_id"))


CHECKS = (
    Check(
        "same_address",
        _("The same address"),
        _("Runs, terminals and checks reach another machine than the one meant."),
        "danger",
        _doubled("address", AT_REST),
    ),
    Check(
        "same_hostname",
        _("The same host name"),
        _("Nobody can tell them apart in lists, inventories and alerts."),
        "warning",
        _doubled("hostname", AT_REST),
    ),
    Check(
        "same_serial",
        _("The same serial number"),
        _("One machine was entered twice, or one was copied."),
        "danger",
        _doubled("serial", _placeholder()),
    ),
    Check(
        "same_asset_number",
        _("The same asset number"),
        _("The books and the shelf do not agree."),
        "warning",
        _doubled("asset_number"),
    ),
    Check(
        "conflict",
        _("Open identity conflict"),
        _("What its agent says is kept back until somebody decides which host it is."),
        "danger",
        _conflict,
        "cmdb.view_identityconflict",
    ),
    Check(
        "disputed",
        _("Disputed"),
        _("Sources say different things of it, or who it is."),
        "warning",
        _where(disputed=True),
    ),
    Check(
        "shared_identifier",
        _("Shared identifier"),
        _("Several machines bear what should be one machine's own."),
        "warning",
        _shared,
    ),
    Check(
        "placeholder",
        _("Serial number that says nothing"),
        _("The maker wrote none; it cannot be told from others by it."),
        "idle",
        _placeholder,
    ),
    Check(
        "stale",
        _("Silent for days"),
        _("What is shown of it is old; the machine may be gone."),
        "warning",
        _stale,
    ),
    Check(
        "never_reported",
        _("Never reported"),
        _("Nothing but what people typed is known of it."),
        "idle",
        _never_reported,
    ),
    Check(
        "outside_subnet",
        _("Address outside any subnet"),
        _("Nobody planned this network, or the plan is not up to date."),
        "warning",
        _outside,
    ),
    Check(
        "warranty_over",
        _("Warranty is over"),
        _("A repair is paid for; replacing it should be planned."),
        "warning",
        _warranty_over,
    ),
    Check(
        "warranty_soon",
        _("Warranty ends within 90 days"),
        _("There is still time to extend it."),
        "idle",
        _warranty_soon,
    ),
    Check(
        "no_credential",
        _("No credential"),
        _("No run and no terminal can sign in there."),
        "idle",
        _where(credential=None),
        "cmdb.view_credential",
    ),
    Check(
        "no_owner",
        _("No owner"),
        _("Nobody is asked when it fails or costs money."),
        "warning",
        _where(owner=""),
    ),
    Check(
        "no_product_line",
        _("No product line"),
        _("Its cost belongs to nobody, and what its failure hits is unknown."),
        "warning",
        _where(product_line=None),
    ),
    Check(
        "no_group",
        _("No host group"),
        _("Nobody whose rights are held to groups can see it."),
        "idle",
        _no_group,
    ),
    Check(
        "no_status",
        _("No status"),
        _("It cannot be told from what is broken or retired."),
        "idle",
        _where(status=None),
    ),
    Check(
        "no_idc",
        _("No IDC"),
        _("Nobody knows where it stands."),
        "idle",
        _where(idc=None),
    ),
    Check(
        "no_cabinet",
        _("No cabinet"),
        _("Whoever has to touch it must search for it."),
        "idle",
        _where(cabinet=None, kind__in=STANDS),
    ),
)
BY_KEY = {each.key: each for each in CHECKS}


def findings(user: Any) -> list[Found]:
    """Count each check among the hosts that the user may see; one query each."""
    rows = Host.objects.visible_to(user).order_by()
    return [
        Found(each, each.among(rows, user).count())
        for each in CHECKS
        if each.is_for(user)
    ]
