"""A believable company for `manage.py demo`: three data centres, forty cabinets, six hundred hosts, what runs on them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction

from adminset import audit
from adminset.audit import SystemActor
from adminset.crud import search_terms
from adminset.errors import Conflict
from cmdb.models import AssetStatus, Cabinet, Host, HostGroup, Idc
from cmdb.services import racks

GIB = 2**30
HOSTS = 600
# IDC: name, code, address, cabinets, second number of its management network 10.N.x.y
SITES = (
    ("Beijing Yizhuang", "bj", "Yizhuang, Beijing", 18, 10),
    ("Shanghai Jinqiao", "sh", "Jinqiao, Shanghai", 14, 20),
    ("Frankfurt FRA3", "fra", "Kleyerstrasse, Frankfurt", 8, 30),
)
# Product line: role of its hosts -> how many of a hundred
PRODUCT_LINES = {
    "shop": {"web": 34, "app": 36, "db": 12, "cache": 10, "mq": 8},
    "pay": {"web": 20, "app": 44, "db": 28, "cache": 8},
    "search": {"api": 30, "index": 60, "db": 10},
    "video": {"edge": 55, "transcode": 35, "db": 10},
    "office": {"mail": 20, "git": 10, "ci": 50, "db": 20},
}
# Hardware: vendor, product, CPU model, threads, memory, disks
HARDWARE = (
    (
        "Dell Inc.",
        "PowerEdge R650",
        "Intel Xeon Gold 6330 CPU @ 2.00GHz",
        56,
        256 * GIB,
        3840 * GIB,
    ),
    (
        "Dell Inc.",
        "PowerEdge R750",
        "Intel Xeon Platinum 8358 CPU @ 2.60GHz",
        64,
        512 * GIB,
        7680 * GIB,
    ),
    (
        "Inspur",
        "NF5280M6",
        "Intel Xeon Gold 5318Y CPU @ 2.10GHz",
        48,
        128 * GIB,
        1920 * GIB,
    ),
    (
        "HPE",
        "ProLiant DL385 Gen10 Plus",
        "AMD EPYC 7543 32-Core Processor",
        64,
        256 * GIB,
        3840 * GIB,
    ),
    (
        "Huawei",
        "2288H V6",
        "Intel Xeon Silver 4314 CPU @ 2.40GHz",
        32,
        128 * GIB,
        1920 * GIB,
    ),
)
SYSTEMS = (
    ("Debian GNU/Linux", "12", "6.1.0-28-amd64"),
    ("Debian GNU/Linux", "11", "5.10.0-33-amd64"),
    ("Ubuntu", "24.04", "6.8.0-49-generic"),
    ("Rocky Linux", "9.5", "5.14.0-503.el9.x86_64"),
)
OWNERS = ("Li Wei", "Zhang Min", "Wang Fang", "Chen Jie", "A. Schmidt", "M. Keller")
STATUSES = (("in use", 91), ("spare", 5), ("maintenance", 3), ("broken", 1))


@dataclass(frozen=True)
class Company:
    """What was made."""

    idcs: int
    cabinets: int
    hosts: list[Host]


def found(chance: random.Random) -> Company:
    """Make the company in one transaction; its history begins today.

    Raises:
        Conflict: it is there already.
    """
    if Idc.objects.filter(code="bj").exists():
        raise Conflict(
            "The demo company is there already.",
            "Start with an empty data directory to make it anew.",
        )
    with transaction.atomic():
        cabinets = {code: list(_cabinets(site)) for site in SITES for code in [site[1]]}
        groups = _groups()
        hosts = Host.objects.bulk_create(_hosts(chance, cabinets))
        _join(hosts, groups)
        racks.refill()
        search_terms.index_rows(Host, [host.pk for host in hosts])
        audit.record(
            SystemActor("demo"),
            "demo.create",
            reason=f"{len(hosts)} hosts of an invented company",
        )
    return Company(len(SITES), sum(map(len, cabinets.values())), hosts)


def _cabinets(site: tuple[str, str, str, int, int]) -> Iterator[Cabinet]:
    name, code, address, count, network = site
    idc = Idc.objects.create(
        name=name,
        code=code,
        address=address,
        contact="NOC",
        phone="+86 10 5555 0100",
        bandwidth="10 Gbit/s BGP",
        address_ranges=f"10.{network}.0.0/16",
    )
    for number in range(count):
        row, place = divmod(number, 6)
        yield Cabinet.objects.create(
            idc=idc, name=f"{'ABCDEF'[row]}{place + 1:02d}", units=42, power_watts=8000
        )


def _groups() -> dict[str, HostGroup]:
    names = {
        *PRODUCT_LINES,
        *(f"{line}-{role}" for line, roles in PRODUCT_LINES.items() for role in roles),
    }
    return {
        name: HostGroup.objects.get_or_create(name=name)[0] for name in sorted(names)
    }


def _hosts(chance: random.Random, cabinets: dict[str, list[Cabinet]]) -> Iterator[Host]:
    status = {row.name: row for row in AssetStatus.objects.all()}
    counts: dict[str, int] = {}
    places = [(site, cabinet) for site in SITES for cabinet in cabinets[site[1]]]
    for number in range(HOSTS):
        site, cabinet = places[number % len(places)]
        line = chance.choices(list(PRODUCT_LINES), weights=[30, 20, 20, 20, 10])[0]
        role = chance.choices(
            list(PRODUCT_LINES[line]), weights=list(PRODUCT_LINES[line].values())
        )[0]
        stem = f"{site[1]}-{line}-{role}"
        counts[stem] = counts.get(stem, 0) + 1
        host = _hardware(chance, f"{stem}{counts[stem]:02d}")
        host.idc, host.cabinet, host.cabinet_unit = (
            cabinet.idc,
            cabinet,
            2 * (number // len(places)) + 1,
        )
        host.address = f"10.{site[4]}.{number // 250}.{number % 250 + 1}"
        host.asset_number = f"A{2024000 + number}"
        host.status = status.get(
            chance.choices([s[0] for s in STATUSES], weights=[s[1] for s in STATUSES])[
                0
            ]
        )
        yield host


def _hardware(chance: random.Random, hostname: str) -> Host:
    vendor, product, cpu, threads, memory, disks = chance.choice(HARDWARE)
    system, version, kernel = chance.choice(SYSTEMS)
    bought = date.today() - timedelta(days=chance.randrange(30, 1600))
    return Host(
        hostname=hostname,
        kind=Host.Kind.PHYSICAL,
        owner=chance.choice(OWNERS),
        vendor=vendor,
        product=product,
        serial=f"{chance.randrange(16**7):07X}",
        os_name=system,
        os_version=version,
        kernel=kernel,
        architecture="x86_64",
        cpu_model=cpu,
        cpu_threads=threads,
        memory_bytes=memory,
        swap_bytes=8 * GIB,
        disk_bytes=disks,
        purchased_on=bought,
        warranty_until=bought + timedelta(days=3 * 365),
    )


def _join(hosts: list[Host], groups: dict[str, HostGroup]) -> None:
    membership = Host.groups.through
    rows = []
    for host in hosts:
        _site, line, role = host.hostname.rstrip("0123456789").split("-")
        rows += [
            membership(host_id=host.pk, hostgroup_id=groups[name].pk)
            for name in (line, f"{line}-{role}")
        ]
    membership.objects.bulk_create(rows)
