"""Starts and stops the whole portal again and again: `python -m tests.launch.soak 20` (make soak)."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo

from adminset.launch import config, processes
from tests.launch.places import free_port

READY_SECONDS = 240
STOP_SECONDS = 10


@dataclass(frozen=True)
class Cycle:
    """What one start and stop showed."""

    start_seconds: float
    stop_seconds: float
    users: int
    documents: int
    password_told: bool


class Soak:
    """One data directory that lives through many starts."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.output = data / "output"

    def cycle(self) -> Cycle:
        """Start by make, wait for the ready line, look, stop by SIGTERM, look again."""
        started = time.monotonic()
        make = self._make()
        try:
            line = self._ready_line(make)
            start_seconds = time.monotonic() - started
            documents = self._documents()
        finally:
            stop_seconds = self._stop(make)
        left = [
            " ".join(process.cmdline())
            for process in processes.leftovers(str(self.data))
        ]
        assert left == [], left
        assert not (self.data / "run" / "ready.json").exists()
        told = "(the password of the first start)" not in line
        return Cycle(start_seconds, stop_seconds, self._users(), documents, told)

    def _make(self) -> subprocess.Popen[bytes]:
        unwanted = ("_URL", "_URL_FILE", "ADMINSET_ADMIN_PASSWORD")
        kept = {
            name: text
            for name, text in os.environ.items()
            if not name.endswith(unwanted)
        }
        told = {**kept, "ADMINSET_DATA_DIR": str(self.data), "PORT": str(self.port)}
        with self.output.open("wb") as output:
            return subprocess.Popen(
                ["/usr/bin/make", "up"],
                cwd=config.ROOT,
                env=told,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def _ready_line(self, make: subprocess.Popen[bytes]) -> str:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and make.poll() is None:
            for line in self.output.read_text().splitlines():
                if line.startswith("AdminSet is ready"):
                    return line
            time.sleep(0.1)
        raise AssertionError(self.output.read_text())

    def _stop(self, make: subprocess.Popen[bytes]) -> float:
        started = time.monotonic()
        make.send_signal(signal.SIGTERM)
        make.wait(60)
        # make may be gone a moment before the launcher.
        while processes.leftovers(str(self.data)) and time.monotonic() - started < 60:
            time.sleep(0.1)
        seconds = time.monotonic() - started
        assert seconds < STOP_SECONDS, f"stopping took {seconds:.1f} s"
        return seconds

    def _documents(self) -> int:
        """Count what SecantusDB holds."""
        told = config.read_dotenv(self.data / "run" / "services.env")
        with pymongo.MongoClient[dict[str, Any]](told["MONGO_URL"]) as client:
            database = client["adminset"]
            names = database.list_collection_names()
            return sum(database[name].count_documents({}) for name in names)

    def _users(self) -> int:
        """Count the users of a database that is whole."""
        connection = sqlite3.connect(self.data / "db" / "adminset.sqlite3")
        try:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            row = connection.execute("SELECT count(*) FROM accounts_user").fetchone()
            return int(row[0])
        finally:
            connection.close()


def run(count: int, data: Path) -> list[Cycle]:
    """Run cycles on one data directory; every one after the first must find the data of the one before."""
    soak = Soak(data)
    cycles: list[Cycle] = []
    for number in range(1, count + 1):
        cycles.append(soak.cycle())
        last = cycles[-1]
        sys.stdout.write(
            f"{number}/{count} ready {last.start_seconds:.1f} s, stopped {last.stop_seconds:.1f} s, "
            f"{last.users} users, {last.documents} documents\n"
        )
        sys.stdout.flush()
        assert last.password_told == (number == 1)
        if number > 1:
            assert last.users == cycles[-2].users
            assert last.documents >= cycles[-2].documents
    return cycles


def main(words: list[str]) -> int:
    """Run as many cycles as asked for; 0 when nothing was left behind and nothing lost."""
    data = Path(tempfile.mkdtemp(prefix="adminset-"))
    try:
        run(int(words[0]) if words else 20, data)
    finally:
        processes.kill_all(str(data))
        shutil.rmtree(data, ignore_errors=True)
    sys.stdout.write("No orphan, no loss.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
