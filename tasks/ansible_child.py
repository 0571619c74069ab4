"""The process of an Ansible run, seen from inside: a job on stdin, events on stdout. The one file that imports ansible_runner.

It is started with an environment made from nothing: ansible_runner copies os.environ into the run, so only a process
without our secrets keeps them out of it. It imports little, for Ansible waits meanwhile.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import IO, Any

import ansible_runner
import psutil

from tasks.ansible_messages import event_message
from tasks.ansible_stop import stop
from tasks.ansible_wiping import wipe

PR_SET_CHILD_SUBREAPER = 36
logger = logging.getLogger(__name__)


def main() -> None:
    """Run one playbook as the child of tasks.ansible_process."""
    _adopt_orphans()
    job = json.loads(sys.stdin.buffer.readline())
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a library prints must not get between the messages.
    os.dup2(2, 1)
    # Not a daemon: it must outlive the run to wipe what a lost portal cannot.
    threading.Thread(target=_end_with_parent, args=(job,)).start()
    try:
        _play(job, wire)
    except Exception:
        logger.exception("the run broke")
    finally:
        wire.close()


def _play(job: dict[str, Any], wire: IO[str]) -> None:

    def send(message: dict[str, Any]) -> None:
        wire.write(json.dumps(message, default=str) + "\n")
        wire.flush()

    def on_event(raw: dict[str, Any]) -> bool:
        send(event_message(raw))
        return False

    outcome = ansible_runner.run(
        private_data_dir=job["directory"],
        playbook="play.yml",
        inventory=job["inventory"],
        forks=job["forks"],
        cmdline=job["command_line"] or None,
        # Facts of one run are no business of the next.
        fact_cache_type="memory",
        settings={"pexpect_timeout": 1, "suppress_output_file": True},
        quiet=True,
        event_handler=on_event,
    )
    send({"exit_code": outcome.rc})


def _adopt_orphans() -> None:
    """Become the parent of all orphaned descendants, so that none leaves the family."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_with_parent(job: dict[str, str]) -> None:
    """End the run and wipe its directory when the portal's process is gone."""
    while os.read(0, 1):
        pass
    me = psutil.Process()
    stop(me.children(recursive=True), Path(job["notes"]))
    wipe(Path(job["directory"]), Path(job["sockets"]))
    os._exit(1)


if __name__ == "__main__":
    main()
