"""`make worker QUEUES=idc.bj`: a worker for the queues of sites, on a machine of its own or beside the portal (standard library only)."""

import os
import re
import socket
import subprocess
from pathlib import Path

from adminset.launch import config
from adminset.launch.config import Place
from adminset.launch.errors import LaunchError

# What Celery takes as a list, and a name that it can show.
NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
QUEUES = re.compile(rf"{NAME}(,{NAME}){{0,19}}")
SENDS = "ADMINSET_RUN_SENDS_OUTPUT"


def queues(place: Place) -> str:
    """Read which queues are meant.

    Raises:
        LaunchError: none, or no names.
    """
    text = place.environ.get("QUEUES", "").replace(" ", "")
    if QUEUES.fullmatch(text):
        return text
    raise LaunchError(
        f"QUEUES is {text!r}; wanted: names of queues, as in make worker QUEUES=idc.bj. "
        "The page of a site says which one is its own."
    )


def environment(place: Place) -> dict[str, str]:
    """Say to the worker where the portal's stores are, and whether its output has to be sent home.

    Raises:
        LaunchError: it could not reach the portal's stores.
    """
    beside = _stores_here(place)
    if not beside:
        _want_stores(place)
    chosen = place.environ.get(SENDS) or ("0" if beside else "1")
    return {
        **os.environ,
        **beside,
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
        "ADMINSET_DATA_DIR": str(place.data),
        SENDS: chosen,
        "PATH": f"{place.venv / 'bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "PYTHONUNBUFFERED": "1",
    }


def _stores_here(place: Place) -> dict[str, str]:
    """Give the stores of the portal that runs from the same data directory; nothing where none does."""
    if not (place.run_dir / "ready.json").exists():
        return {}
    found = config.read_dotenv(place.run_dir / "services.env")
    return found or {"ADMINSET_DATA_DIR": str(place.data)}


def _want_stores(place: Place) -> None:
    address = place.environ.get("DATABASE_URL", "")
    of_one_machine = address.startswith("sqlite") or not place.is_set("DATABASE_URL")
    if of_one_machine and not place.environ.get(SENDS):
        raise LaunchError(
            "A worker needs the portal's database: set DATABASE_URL to it. SQLite is a file of one machine; "
            "a portal with workers elsewhere runs on PostgreSQL or MySQL (docs/tasks-sites.md)."
        )
    if not place.is_set("REDIS_URL"):
        raise LaunchError(
            "A worker needs the portal's Redis: set REDIS_URL to one that the portal and this machine both reach "
            "(docs/tasks-sites.md)."
        )


def check(place: Place, names: str, told: dict[str, str]) -> None:
    """Ask the portal's stores, and open a secret with the key ring, before anything starts.

    Raises:
        LaunchError: the sentence says what is missing.
    """
    done = subprocess.run(  # noqa: S603 - our own command
        [str(place.python), "manage.py", "check_worker", names],
        cwd=place.root,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode:
        words = lines[-1] if lines else "The worker could not be checked."
        raise LaunchError(words.removeprefix("CommandError: "))


def command(python: Path, names: str, concurrency: int) -> list[str]:
    """Give Celery's command line: a name by the first queue, so that several workers can stand on one machine."""
    first = names.partition(",")[0]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    node = ["--hostname", f"{first}.{os.getpid()}@{socket.gethostname()}"]
    size = ["--concurrency", str(concurrency), "--queues", names, "--loglevel", "INFO"]
    worker = [str(python), "-m", "celery", "-A", "adminset", "worker"]
    return [*worker, *size, *node, *quiet]
