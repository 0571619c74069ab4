"""What network devices answer, as our metrics: system, interfaces, CPU and memory; pure."""

from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from agent.collectors.series import Values, per_second, percent, printable, series

Oid = Tuple[int, ...]
Answer = Union[int, bytes, Oid]
Scalars = Dict[Oid, Answer]
Columns = Dict[Oid, Dict[Oid, Answer]]


def oid(text: str) -> Oid:
    return tuple(int(part) for part in text.split("."))


SYSTEM, IF, IFX = "1.3.6.1.2.1.1.", "1.3.6.1.2.1.2.2.1.", "1.3.6.1.2.1.31.1.1.1."
DESCRIPTION, OBJECT_ID = oid(SYSTEM + "1.0"), oid(SYSTEM + "2.0")
UPTIME, NAME = oid(SYSTEM + "3.0"), oid(SYSTEM + "5.0")
SCALARS = (DESCRIPTION, OBJECT_ID, UPTIME, NAME)
# sysUpTime wraps after 497 days; the engine's own time does not.
TICKS_A_SECOND = 100.0
IF_DESCRIPTION, IF_ADMIN, IF_STATE = oid(IF + "2"), oid(IF + "7"), oid(IF + "8")
IF_SPEED = oid(IF + "5")
IF_NAME = oid(IFX + "1")
UP = 1
COUNTERS = {
    oid(IFX + "6"): "received_bytes",
    oid(IFX + "10"): "sent_bytes",
    oid(IF + "14"): "received_errors",
    oid(IF + "20"): "sent_errors",
    oid(IF + "13"): "received_drops",
    oid(IF + "19"): "sent_drops",
}
# For interfaces without 64-bit counters: 32 bits of bytes pass in a minute at 573 Mbit/s, and nobody sees how often.
NARROW = {oid(IF + "10"): "received_bytes", oid(IF + "16"): "sent_bytes"}
FASTEST_NARROW = 500 * 1000 * 1000
# Behind a counter's name, so that two widths never make a rate together.
NARROW_MARK = "\0narrow"
INTERFACES = (
    *(IF_NAME, IF_DESCRIPTION, IF_ADMIN, IF_STATE, IF_SPEED),
    *(*COUNTERS, *NARROW),
)
MOST_INTERFACES = 200


class Vendor(NamedTuple):
    """Where a vendor keeps CPU and memory; used with total, or used with free."""

    scalars: Dict[str, Oid]
    columns: Dict[str, Oid]
    unit: int = 1


UCD = "1.3.6.1.4.1.2021."
CISCO, HUAWEI = "1.3.6.1.4.1.9.9.", "1.3.6.1.4.1.2011.5.25.31.1.1.1.1."
H3C = "1.3.6.1.4.1.25506.2.6.1.1.1.1."
# HOST-RESOURCES-MIB: each processor, mean of a minute.
PROCESSOR_LOADS = oid("1.3.6.1.2.1.25.3.3.1.2")
VENDORS = {
    # UCD-SNMP-MIB, in KiB: net-snmp on Linux, and what is made of it.
    "ucd": Vendor(
        {
            "total": oid(UCD + "4.5.0"),
            "free": oid(UCD + "4.6.0"),
            "buffers": oid(UCD + "4.14.0"),
            "cached": oid(UCD + "4.15.0"),
        },
        {"loads": PROCESSOR_LOADS},
        1024,
    ),
    # CISCO-PROCESS-MIB (one minute), CISCO-MEMORY-POOL-MIB.
    "cisco": Vendor(
        {},
        {
            "cpu": oid(CISCO + "109.1.1.1.1.7"),
            "used": oid(CISCO + "48.1.1.1.5"),
            "free": oid(CISCO + "48.1.1.1.6"),
        },
    ),
    # HUAWEI-ENTITY-EXTENT-MIB; boards without a processor say 0.
    "huawei": Vendor(
        {},
        {"cpu": oid(HUAWEI + "5"), "percent": oid(HUAWEI + "7")},
    ),
    # HH3C-ENTITY-EXT-MIB, likewise.
    "h3c": Vendor({}, {"cpu": oid(H3C + "6"), "percent": oid(H3C + "8")}),
    "other": Vendor({}, {"loads": PROCESSOR_LOADS}),
}
ENTERPRISES = {9: "cisco", 2011: "huawei", 25506: "h3c", 8072: "ucd", 2021: "ucd"}
ENTERPRISE = oid("1.3.6.1.4.1")


def vendor_of(object_id: Optional[Answer]) -> Vendor:
    """By sysObjectID: the number of the enterprise that made the device."""
    place = len(ENTERPRISE)
    if isinstance(object_id, tuple) and object_id[:place] == ENTERPRISE:
        return VENDORS[ENTERPRISES.get(object_id[place], "other")]
    return VENDORS["other"]


def whole(answer: Optional[Answer]) -> Optional[int]:
    return answer if isinstance(answer, int) else None


def text(answer: Optional[Answer]) -> str:
    raw = answer if isinstance(answer, bytes) else b""
    return printable(raw.decode("utf-8", "replace").strip())


def health(vendor: Vendor, scalars: Scalars, columns: Columns) -> Values:
    """cpu_percent, memory_*: what is not answered is missing."""
    found: Dict[str, int] = {}
    for name, place in vendor.scalars.items():
        number = whole(scalars.get(place))
        if number is not None:
            found[name] = number
    for name, place in vendor.columns.items():
        numbers = [whole(answer) for answer in columns.get(place, {}).values()]
        known = [number for number in numbers if number is not None]
        if known:
            found[name] = together(name, known)
    values = memory(found, vendor.unit)
    for name in ("loads", "cpu"):
        if name in found:
            values["cpu_percent"] = percent(found[name], 100)
    return values


def together(name: str, numbers: List[int]) -> int:
    """Pools of memory are added, loads of processors averaged; of boards the busiest counts."""
    if name in ("used", "free"):
        return sum(numbers)
    return sum(numbers) // len(numbers) if name == "loads" else max(numbers)


def memory(found: Dict[str, int], unit: int) -> Values:
    """Of used and free, of total and free, or of a percentage alone."""
    if "percent" in found:
        return {"memory_used_percent": percent(found["percent"], 100)}
    free = found.get("free", 0) + found.get("buffers", 0) + found.get("cached", 0)
    total = found.get("total", found.get("used", 0) + free)
    if "free" not in found or not total:
        return {}
    used = max(total - free, 0)
    return {
        "memory_total_bytes": total * unit,
        "memory_used_bytes": used * unit,
        "memory_used_percent": percent(used, total),
    }


def interfaces(columns: Columns) -> List[Tuple[str, Oid]]:
    """(name, index) of those that are switched on; twice the same name gets its index."""
    found: Dict[str, Oid] = {}
    for index, admin in sorted(columns.get(IF_ADMIN, {}).items()):
        names = columns.get(IF_NAME, {}), columns.get(IF_DESCRIPTION, {})
        number = ".".join(map(str, index))
        name = text(names[0].get(index)) or text(names[1].get(index)) or number
        if admin == UP:
            found[f"{name} {number}" if name in found else name] = index
    return list(found.items())


def traffic(device: str, columns: Columns) -> Tuple[Values, Values, int]:
    """Gauges and counters (see `rates`) of the interfaces, and how many were left out."""
    gauges: Values = {}
    counters: Values = {}
    chosen = interfaces(columns)
    for name, index in chosen[:MOST_INTERFACES]:
        instance = f"{device}/{name}"
        state = columns.get(IF_STATE, {}).get(index)
        gauges[series("snmp.interface_up", instance)] = int(state == UP)
        for name, count in counts(columns, index).items():
            metric, mark, _ = name.partition(NARROW_MARK)
            counters[series(f"snmp.{metric}_per_second", instance) + mark] = count
    return gauges, counters, max(len(chosen) - MOST_INTERFACES, 0)


def counts(columns: Columns, index: Oid) -> Dict[str, int]:
    """The counters of an interface; one of 32 bits is marked, and left alone where it may wrap unseen."""
    found: Dict[str, int] = {}
    for place, metric in COUNTERS.items():
        count = whole(columns.get(place, {}).get(index))
        if count is not None:
            found[metric] = count
    speed = whole(columns.get(IF_SPEED, {}).get(index)) or 0
    for place, metric in NARROW.items():
        count = whole(columns.get(place, {}).get(index))
        if count is not None and metric not in found and speed <= FASTEST_NARROW:
            found[metric + NARROW_MARK] = count
    return found


def rates(before: Values, after: Values, seconds: float) -> Values:
    """What counters grew by per second; nothing for one whose width is another than before."""
    fresh = per_second(before, after, seconds)
    return {name.partition(NARROW_MARK)[0]: rate for name, rate in fresh.items()}
