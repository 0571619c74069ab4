"""A real agent process beside simulated ones: killed and started again, and what its spool held at any time."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class RealAgent:
    """The agent's daemon with a folder of its own."""

    def __init__(self, folder: Path, port: int, token: str) -> None:
        folder.mkdir(parents=True)
        self.spool = folder / "spool"
        self._url, self._file = f"http://127.0.0.1:{port}", folder / "credential"
        agent_id, _dot, secret = token.partition(".")
        said = {"server": self._url, "agent_id": agent_id, "secret": secret}
        self._file.write_text(json.dumps(said))
        self._file.chmod(0o600)
        # One of this machine's own must not be read.
        self._settings = folder / "agent.conf"
        self._settings.write_text("[agent]\n")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it said, each time it ran."""
        return (self.spool.parent / "log").read_text(errors="replace")

    def start(self) -> None:
        """Start the daemon."""
        told = os.environ | {
            "ADMINSET_AGENT_SERVER": self._url,
            "ADMINSET_AGENT_CREDENTIAL_FILE": str(self._file),
            "ADMINSET_AGENT_SPOOL_DIR": str(self.spool),
            "ADMINSET_AGENT_CONFIG": str(self._settings),
            "ADMINSET_AGENT_SAMPLE_SECONDS": "1",
            "ADMINSET_AGENT_FLUSH_SECONDS": "2",
        }
        command = [sys.executable, "-m", "agent"]
        with (self.spool.parent / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=told, stderr=log)

    def kill(self) -> None:
        """Kill -9."""
        if self._process:
            self._process.kill()
            self._process.wait(10)


class Spooled(threading.Thread):
    """Looks at a spool again and again and remembers what it held: each of these samples has to arrive.

    Attributes:
        times: milliseconds of the samples seen.
        over: set it to end the looking.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self._folder = folder
        self.times: set[int] = set()
        self.over = threading.Event()

    def run(self) -> None:
        """Look on."""
        while not self.over.wait(0.2):
            self.times |= self.waiting()

    def waiting(self) -> set[int]:
        """Give the milliseconds of the samples that are in the spool now."""
        found: set[int] = set()
        for file in self._folder.glob("*.jsonl"):
            try:
                lines = file.read_bytes().splitlines(keepends=True)
            except FileNotFoundError:
                continue
            # What is being written has no end yet.
            whole = [json.loads(line) for line in lines if line.endswith(b"\n")]
            found |= {round(each["time"] * 1000) for each in whole if "time" in each}
        return found
