"""The agent's footprint: memory and CPU of the daemon at its default pace against a server that takes everything."""

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil

from tests.agent import day
from tests.bench.figures import Figure

ROOT = Path(__file__).resolve().parents[2]
SETTLE_SECONDS, SECONDS = 40, 120
SIMULATED_HOURS = 4


class _Portal(BaseHTTPRequestHandler):
    """Answers as the portal does, and keeps nothing."""

    protocol_version = "HTTP/1.1"
    wire_bytes = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).wire_bytes += len(body)
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        samples = json.loads(body).get("samples", [])
        answer = {
            "status": "unchanged",
            "results": [{"seq": s["seq"], "status": "stored"} for s in samples],
        }
        text = json.dumps(answer | {"settings": {}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def run(folder: Path) -> list[Figure]:
    """Run the daemon for a while past its warm-up and read its memory and CPU time from the kernel."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    credential = folder / "credential"
    credential.write_text(
        json.dumps({"server": url, "agent_id": "0" * 32, "secret": "x" * 43})
    )
    credential.chmod(0o600)
    environment = os.environ | {
        "ADMINSET_AGENT_SERVER": url,
        "ADMINSET_AGENT_CREDENTIAL_FILE": str(credential),
        "ADMINSET_AGENT_SPOOL_DIR": str(folder / "spool"),
    }
    daemon = subprocess.Popen(
        [sys.executable, "-m", "agent"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        return [*_watch(psutil.Process(daemon.pid)), *_hours()]
    finally:
        daemon.terminate()
        daemon.wait(10)
        server.shutdown()


def _watch(process: psutil.Process) -> list[Figure]:
    time.sleep(SETTLE_SECONDS)
    before, sent_before = process.cpu_times(), _Portal.wire_bytes
    time.sleep(SECONDS)
    after = process.cpu_times()
    used = (after.user + after.system) - (before.user + before.system)
    return [
        Figure(
            "agent RSS", process.memory_info().rss / 2**20, "MiB", "30 MiB (issue 5)"
        ),
        Figure("agent CPU", used / SECONDS * 100, "% of a core", "0.1 % (issue 5)"),
        Figure(
            "agent bytes on the wire",
            (_Portal.wire_bytes - sent_before) / SECONDS,
            "B/s",
        ),
        Figure("agent threads", process.num_threads(), "threads"),
    ]


def _hours() -> list[Figure]:
    """The same over hours, with clocks turned by hand: outages, facts and somebody who watches included."""
    report = day.run(SIMULATED_HOURS)
    settled, end = report["settled"], report["end"]
    return [
        Figure(
            "agent CPU over simulated hours",
            report["cpu_share"] * 100,
            "% of a core",
            "0.1 % (issue 5)",
        ),
        Figure(
            "agent memory growth over simulated hours",
            (end["rss"] - settled["rss"]) / 2**20,
            "MiB",
            "flat (issue 5)",
        ),
    ]
