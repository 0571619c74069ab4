"""`python3 -m adminset.launch up|worker|tools|tests`: the set-up stage, with the system's Python and the standard library only."""

import os
import signal
import sys

from adminset.launch import checks, config, leash, lock, prepare, site_worker
from adminset.launch.errors import LaunchError
from adminset.launch.progress import say

INTERRUPTED = 130


def main(words: list[str]) -> int:
    """Prepare, then become the process manager (`up`) or a worker (`worker`), or end (`tools`, `tests`)."""
    command = words[0] if words else "up"
    # A SIGTERM ends the helpers of the set-up like a Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        place = config.read()
        COMMANDS[command](place)
    except LaunchError as problem:
        say(f"AdminSet: {problem}")
        return 1
    except OSError as error:
        say(f"AdminSet: {error}. Cure it and run the command again.")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _up(place: config.Place) -> None:
    # A killed make must not leave the portal behind.
    if "MAKELEVEL" in os.environ:
        leash.hold(os.getppid())
    checks.writable(place.data)
    lock.take(place)
    checks.port(place)
    prepare.for_running(place)
    os.chdir(place.root)
    # The same process goes on, so that the signals of make reach it.
    os.execv(place.python, [str(place.python), "-m", "adminset.launch.portal"])  # noqa: S606


def _worker(place: config.Place) -> None:
    names = site_worker.queues(place)
    told = site_worker.environment(place)
    if "MAKELEVEL" in os.environ:
        leash.hold(os.getppid())
    checks.writable(place.data)
    prepare.for_worker(place)
    site_worker.check(place, names, told)
    os.chdir(place.root)
    # What it writes, output of runs and private keys, is nobody else's to read.
    os.umask(0o077)
    command = site_worker.command(place.python, names, config.concurrency(place))
    say(f"AdminSet worker for {names}; Ctrl-C stops it.")
    os.execve(place.python, command, told)  # noqa: S606


COMMANDS = {
    "up": _up,
    "worker": _worker,
    "tools": prepare.for_tools,
    "tests": prepare.for_tests,
    "image": prepare.for_running,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
