"""Ends what a lost worker left running on this machine, before its part goes on.

The processes of Ansible live below a private directory of their part (jobs.private_root): their HOME names it, so that they
are found without a list of process ids that may belong to somebody else by now. An Ansible child ends itself when the pipe
from its worker breaks; this is for the moment until then, and for one that hangs.
"""

import logging
from contextlib import suppress
from pathlib import Path

import psutil

from tasks.ansible_stop import stop
from tasks.ansible_wiping import wipe
from tasks.services.claim import Claim
from tasks.services.jobs import private_root

logger = logging.getLogger(__name__)


def end_orphans(claim: Claim) -> None:
    """End the processes that earlier workers started for a part, here and on the hosts, and wipe their directories."""
    root = private_root(claim.part_id)
    if not root.is_dir():
        return
    for folder in root.iterdir():
        found = living_below(folder)
        notes = folder / "stop.json"
        if found:
            logger.warning("run %s: ending %s orphans", claim.run_id, len(found))
            stop(found, notes if notes.exists() else None)
        wipe(folder)


def living_below(folder: Path) -> set[psutil.Process]:
    """Give the processes whose home is a folder or lies below it."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            home = Path(process.environ().get("HOME", "/"))
            if home == folder or folder in home.parents:
                found.add(process)
    return found
