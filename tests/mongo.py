"""A metric store for tests: the embedded one as a subprocess, or the MongoDB that TEST_MONGO_URL names."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pymongo
from pymongo.errors import PyMongoError

PROGRAM = Path(sys.executable).with_name("secantusd-py")
READY_SECONDS = 20


def free_port() -> int:
    """Give a loopback port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class MongoServer:
    """A SecantusDB with a storage folder of its own; start and kill it as often as a test likes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"mongodb://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> "MongoServer":
        """Start on the same port and folder and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [str(PROGRAM), "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--storage-path", str(self.folder / "data"), "--cache-size", "128M"]
        # As the launcher starts it.
        command += ["--standalone"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(self.url)
        return self

    def signal(self, number: int) -> None:
        """Send a signal, such as SIGSTOP and SIGCONT, to the running server."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self) -> None:
        """End it in good order."""
        self.signal(signal.SIGTERM)
        if self._process is not None:
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """Kill -9, as a crash does."""
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(10)
            self._process = None


def wait_for(url: str) -> None:
    """Wait until a server answers a ping; RuntimeError after READY_SECONDS."""
    end = time.monotonic() + READY_SECONDS
    with pymongo.MongoClient(url, serverSelectionTimeoutMS=500) as client:
        while True:
            try:
                client.admin.command("ping")
            except PyMongoError:
                if time.monotonic() > end:
                    raise RuntimeError(f"{url} does not answer") from None
            else:
                return


class TestDatabase:
    """A database name of our own on some server, dropped at the end."""

    __test__ = False

    def __init__(self, url: str) -> None:
        self.url = url
        self.name = f"test_{uuid.uuid4().hex[:12]}"

    def drop(self) -> None:
        """Remove it; an error where the server does not do so in time.

        SecantusDB 0.7.0b3 locks itself for ever where a drop meets a write whose client has given up.
        """
        patience = {"serverSelectionTimeoutMS": 2000, "socketTimeoutMS": 60_000}
        with pymongo.MongoClient(self.url, **patience) as client:
            client.drop_database(self.name)


def given_url() -> str:
    """Give the MongoDB to test against, "" for the embedded one."""
    return os.environ.get("TEST_MONGO_URL", "")


def real_mongo_url() -> str:
    """Give the MongoDB that the environment names besides the embedded store, "" for none."""
    # tests/settings.py puts an address there at which nobody listens.
    named = os.environ.get("MONGO_URL", "").replace("mongodb://127.0.0.1:9/", "")
    return given_url() or named
