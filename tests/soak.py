"""`make soak [NAME ...]`: the long proofs, by name."""

import sys
from collections.abc import Callable

from tests.agent import day as agent_day
from tests.launch import soak as launch_soak
from tests.soaks import deploys, faults, fleet, kill, outage, terminals

STARTS = 20
SOAKS: dict[str, Callable[[], int]] = {
    "up": lambda: launch_soak.main([str(STARTS)]),
    "agent_day": lambda: agent_day.main(["24"]),
    "deploys": deploys.main,
    "faults": faults.main,
    "fleet": fleet.main,
    "kill": kill.main,
    "outage": outage.main,
    "terminals": terminals.main,
}


def main(names: list[str]) -> int:
    """Run the named proofs, or all; 2 for a name that does not exist."""
    unknown = [name for name in names if name not in SOAKS]
    if unknown:
        sys.stderr.write(
            f"There is no soak {', '.join(unknown)}. There are: {', '.join(SOAKS)}.\n"
        )
        return 2
    return max(SOAKS[name]() for name in names or SOAKS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
