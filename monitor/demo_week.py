"""Seven days of measurements for the hosts of the demo company: days and nights, busy and idle, a disk that fills."""

import math
import random
from collections.abc import Callable, Iterator, Sequence

from cmdb.models import Host
from monitor.series import Sample
from monitor.store import MetricStore

DAYS = 7
HOUR = 3600
# A reading every five minutes.
SLOTS = 12
SLOT = HOUR // SLOTS
# How many different courses of a day there are; each host follows one, scaled and shifted.
COURSES = 24
# By how much of a disk a week fills it.
GROWTHS = [0.0, 0.0, 0.0, 0.02, 0.2]
Line = Sequence[float]


class Week:
    """Makes the week of any host from a few courses that are computed once.

    Args:
        chance: source of all randomness.
        now: Unix seconds at which the week ends.
    """

    def __init__(self, chance: random.Random, now: float) -> None:
        self.chance = chance
        self.end = int(now) // HOUR * HOUR
        self.start = self.end - DAYS * 24 * HOUR
        self._courses = [self._course() for _ in range(COURSES)]

    def _course(self) -> Line:
        """Give 0..1 for each slot: low at night, two humps by day, some noise, now and then a spike."""
        shift, noise = self.chance.uniform(-1.5, 1.5), self.chance.uniform(0.02, 0.08)
        values = []
        for slot in range(DAYS * 24 * SLOTS):
            hour = (slot / SLOTS + shift) % 24
            level = (
                0.2
                + 0.5 * math.exp(-((hour - 11) ** 2) / 14)
                + 0.45 * math.exp(-((hour - 20) ** 2) / 9)
            )
            spike = 0.3 if self.chance.random() < 0.004 else 0.0
            values.append(
                min(1.0, max(0.01, level + self.chance.gauss(0, noise) + spike))
            )
        return values

    def past(self, host: Host) -> list[Sample]:
        """Give the week of a host, oldest first."""
        lines = self._lines(host)
        return [
            Sample(self.start + slot * SLOT, dict(zip(lines, values, strict=True)))
            for slot, values in enumerate(zip(*lines.values(), strict=True))
        ]

    def _lines(self, host: Host) -> dict[str, list[float]]:
        dice = random.Random(host.pk)  # noqa: S311 - a demo
        course = self._courses[host.pk % COURSES]
        other = self._courses[(host.pk * 7 + 3) % COURSES]
        weight = dice.uniform(8, 85)
        busy = _scaled(course, lambda level: round(weight * level, 2))
        return {
            **_processor(busy, host.cpu_threads or 8),
            **_memory(other, host),
            **_disk(len(course), host, dice),
            "disk.busy_percent|nvme0n1": _parts(busy, 0.4),
            **_traffic(course, other, dice.uniform(2e6, 9e7)),
        }

    def last_hour(self, host: Host, now: float) -> list[Sample]:
        """Give a sample a minute up to now, so that the fleet page has a current value and a line."""
        newest = {name: line[-1] for name, line in self._lines(host).items()}
        dice = random.Random(host.pk)  # noqa: S311 - a demo
        samples = []
        for minute in range(59, -1, -1):
            wobble = 1 + dice.gauss(0, 0.06)
            moved = {
                n: round(v * wobble, 2) if n.startswith(("cpu.", "load.")) else v
                for n, v in newest.items()
            }
            samples.append(Sample(now - 60 * minute, moved))
        return samples


def _scaled(course: Line, scale: Callable[[float], float]) -> list[float]:
    return [scale(level) for level in course]


def fill(
    store: MetricStore, hosts: Sequence[Host], now: float, chance: random.Random
) -> Iterator[int]:
    """Write the week of every host; yields how many hosts are done.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    store.ensure_indexes()
    week = Week(chance, now)
    for done, host in enumerate(hosts, 1):
        store.write_history(host.pk, week.past(host))
        store.write(host.pk, week.last_hour(host, now))
        yield done


def _parts(line: list[float], share: float) -> list[float]:
    return [round(value * share, 2) for value in line]


def _processor(busy: list[float], threads: int) -> dict[str, list[float]]:
    return {
        "cpu.busy_percent": busy,
        "cpu.user_percent": _parts(busy, 0.72),
        "cpu.system_percent": _parts(busy, 0.22),
        "cpu.iowait_percent": _parts(busy, 0.06),
        "load.1": _parts(busy, threads / 100),
    }


def _memory(course: Line, host: Host) -> dict[str, list[float]]:
    memory = float(host.memory_bytes or 2**34)
    used = _scaled(course, lambda level: round(memory * (0.35 + 0.3 * level)))
    return {
        "memory.total_bytes": [memory] * len(used),
        "memory.used_bytes": used,
        "memory.used_percent": [round(value / memory * 100, 2) for value in used],
        "swap.total_bytes": [float(host.swap_bytes or 0)] * len(used),
        "swap.used_bytes": [0.0] * len(used),
    }


def _disk(slots: int, host: Host, dice: random.Random) -> dict[str, list[float]]:
    """Fill a disk: most of them stay as they are, some grow."""
    disk, growth = float(host.disk_bytes or 2**40), dice.choice(GROWTHS)
    start = dice.uniform(0.2, 0.7)
    full = [
        round(min(0.99, start + growth * slot / slots) * 100, 3)
        for slot in range(slots)
    ]
    return {
        "fs.inodes_used_percent|/": [round(value / 9, 2) for value in full],
        "fs.used_percent|/": full,
        "fs.used_bytes|/": [round(disk * value / 100) for value in full],
    }


def _traffic(course: Line, other: Line, traffic: float) -> dict[str, list[float]]:
    def line(course: Line, share: float) -> list[float]:
        return _scaled(course, lambda level: round(traffic * level * share))

    return {
        "disk.read_bytes_per_second|nvme0n1": line(other, 1 / 5),
        "disk.write_bytes_per_second|nvme0n1": line(course, 1 / 3),
        "net.received_bytes_per_second|eth0": line(course, 1.0),
        "net.sent_bytes_per_second|eth0": line(course, 1.8),
    }
