"""What is collected in the background, and how often."""

from typing import List, Optional

from agent.collectors import (
    containers,
    custom,
    gpus,
    ports,
    processes,
    sensors,
    smart,
    units,
    users,
)
from agent.push import Push
from agent.tables import Chore

MINUTE, HOUR = 60.0, 3600.0
CONTAINER_SECONDS = 15.0


def chores(custom_dir: str, push: Optional[Push]) -> List[Chore]:
    """All of this host; what is not there costs a look and brings nothing.

    Args:
        custom_dir: folder of text files with values of others; "" for none.
        push: the local socket, where one is open.
    """
    pushed = [Chore("pushed", custom.SECONDS, push.collect)] if push else []
    return [
        *pushed,
        Chore("processes", MINUTE, processes.Scanner().collect),
        Chore("containers", CONTAINER_SECONDS, containers.Watcher().collect),
        Chore("custom", custom.SECONDS, custom.Folder(custom_dir).collect),
        Chore("units", MINUTE, units.collect),
        Chore("sensors", MINUTE, sensors.collect),
        Chore("gpus", MINUTE, gpus.collect),
        Chore("ports", 5 * MINUTE, ports.collect),
        Chore("users", HOUR, users.collect),
        Chore("smart", HOUR, smart.collect),
    ]
