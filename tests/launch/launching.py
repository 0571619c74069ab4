"""Starts the process manager on the stub project, as `make up` does after its set-up stage."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from adminset.launch import config, processes
from tests.launch.places import free_port, make_stub

START = """
import sys
from pathlib import Path
from adminset.launch import checks, config, lock, portal
root = Path(sys.argv[1])
place = config.read(root)
checks.writable(place.data)
lock.take(place)
sys.exit(portal.main(root))
"""


def wait_for(is_so: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait until something is true and return it."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.1)
    return found


class Launch:
    """One launcher in a data directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.root = make_stub(folder)
        self.place = replace(
            config.read(self.root, {}), data=folder / "data", port=free_port()
        )
        self.output = folder / "output"
        self.process: subprocess.Popen[bytes]

    def start(self, **environ: str) -> "Launch":
        told = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.endswith("_URL")
            },
            "PYTHONPATH": str(config.ROOT),
            "ADMINSET_DATA_DIR": str(self.place.data),
            "PORT": str(self.place.port),
            **environ,
        }
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, str(self.root)],
                env=told,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_ready(self) -> dict[str, int]:
        wait_for(
            lambda: (
                "AdminSet is ready" in self.said() or self.process.poll() is not None
            )
        )
        assert "AdminSet is ready" in self.said(), self.said()
        return self.pids()

    def pids(self) -> dict[str, int]:
        told = json.loads((self.place.run_dir / "ready.json").read_text())
        return dict(told["pids"])

    def stop(self, number: int = signal.SIGTERM) -> float:
        """Send a signal and return how long the end took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(20)
        return time.monotonic() - started

    def leftovers(self) -> list[str]:
        return [
            " ".join(process.cmdline())
            for process in processes.leftovers(str(self.place.data))
        ]

    def clean(self) -> None:
        """Leave nothing behind, also after a test that failed."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        processes.kill_all(str(self.place.data))
