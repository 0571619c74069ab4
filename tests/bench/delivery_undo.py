"""Rollback of 20 hosts: the lock and the switch back, with restart and health. ADMINSET_BENCH_UNDO_HOSTS makes it smaller."""

import os
from pathlib import Path

from tests.bench.delivery_farm import build, farm_of, portal
from tests.bench.figures import Figure

HOSTS = int(os.environ.get("ADMINSET_BENCH_UNDO_HOSTS", "20"))


def run(folder: Path) -> list[Figure]:
    """Deliver two releases and take the second back."""
    with farm_of(HOSTS, folder) as farm:
        first, second = (str(build(folder, 2_000_000, n)) for n in ("first", "second"))
        seen = portal("switch", folder, farm, HOSTS, first=first, second=second)
    goal = "5 s (issue 8)" if HOSTS == 20 else ""
    only = f"{seen['back']:.2f} s without the lock"
    return [
        Figure(f"Delivery, rollback of {HOSTS} hosts", seen["undo"], "s", goal, only)
    ]
