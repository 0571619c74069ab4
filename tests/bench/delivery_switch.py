"""The switch of 200 hosts with restart and health: commands that cost nothing, so that the switch itself is measured.

ADMINSET_BENCH_SWITCH_HOSTS makes it smaller.
"""

import os
from pathlib import Path

from tests.bench.delivery_farm import build, farm_of, portal
from tests.bench.figures import Figure

HOSTS = int(os.environ.get("ADMINSET_BENCH_SWITCH_HOSTS", "200"))


def run(folder: Path) -> list[Figure]:
    """Deliver two small releases to all hosts; the switch to the second is measured, sign-in and all."""
    with farm_of(HOSTS, folder) as farm:
        first, second = (str(build(folder, 200_000, n)) for n in ("first", "second"))
        seen = portal("switch", folder, farm, HOSTS, first=first, second=second)
    goal = "10 s (issue 8)" if HOSTS == 200 else ""
    title = f"Delivery, {HOSTS} hosts"
    return [
        Figure(f"{title}, switch", seen["switch"], "s", goal),
        Figure(f"{title}, finish", seen["finish"], "s"),
        Figure(f"{title}, lock and take back", seen["undo"], "s"),
    ]
