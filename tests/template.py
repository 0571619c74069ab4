"""A SQLite database with all migrations done: made once in a test run, and copied by whoever needs one of its own."""

import atexit
import fcntl
import functools
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
IN_MEMORY = "file:memorydb_default?mode=memory&cache=shared"
# As manage.py does it; to look for garbage less often among the many models of the past saves a fifth of the time.
MIGRATE = """
import gc
gc.set_threshold(50_000, 20, 100)
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "migrate", "--verbosity", "0"])
"""


@functools.cache
def run_folder() -> str:
    """Give the folder that all processes of a run share; it goes with the process that made it."""
    given = os.environ.get("TEST_RUN_FOLDER", "")
    if given:
        return given
    made = tempfile.mkdtemp(prefix="adminset-test-run-")
    atexit.register(_remove, made, os.getpid())
    return made


def _remove(folder: str, owner: int) -> None:
    # A forked child ends too, and is not the one that made it.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def copy_to(database: Path) -> None:
    """Put a migrated database where there is none; migrating costs eight seconds, copying none."""
    database.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_migrated(), database)


def load(connection: Any) -> None:
    """Fill Django's connection to a database in memory."""
    connection.close()
    connection.settings_dict["NAME"] = IN_MEMORY
    connection.ensure_connection()
    with sqlite3.connect(_migrated()) as template:
        template.backup(connection.connection)
    template.close()


@functools.cache
def _migrated() -> Path:
    """Give the template; the first process to ask makes it, the others wait."""
    folder = Path(run_folder())
    made = folder / "migrated.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _migrate(folder / "making.sqlite3").rename(made)
    return made


def _migrate(database: Path) -> Path:
    own = {
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
        "DATABASE_URL": f"sqlite:///{database}",
        "ADMINSET_DATA_DIR": str(database.parent / "data"),
    }
    subprocess.run(
        [sys.executable, "-c", MIGRATE], cwd=ROOT, env=os.environ | own, check=True
    )
    # A database in memory knows no write-ahead log, and a file without one is copied whole.
    with sqlite3.connect(database) as rows:
        rows.execute("PRAGMA journal_mode = DELETE")
    rows.close()
    return database


if __name__ == "__main__":
    _migrated()
