"""A day in the life of an agent, in minutes: its real parts against a real server, with clocks that are turned by hand.

`python -m tests.agent.day HOURS` prints what the agent cost as JSON; `make soak agent_day` runs the whole day.
"""

import gc
import gzip
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from agent.config import Config
from agent.daemon import Daemon

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"sample_seconds": 15, "flush_seconds": 60, "facts_seconds": 3600}
HOUR = 3600.0
# Of each hour the portal is away for six minutes; now and then somebody watches.
SPELL, AWAY_FROM, AWAY_UNTIL = HOUR, 0.5, 0.6
WATCHED_EACH, PACKAGES_EACH = 50, 10
RSS_GROWTH, RSS_AT_MOST, SETTLED = 1 << 20, 30 << 20, 0.25
# A segment of the spool and the connection may be open at the end.
FILES_AT_MOST = 2


class Portal(BaseHTTPRequestHandler):
    """Says yes, keeps nothing but a count."""

    protocol_version = "HTTP/1.1"
    requests = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        samples = json.loads(gzip.decompress(body)).get("samples", [])
        type(self).requests += 1
        answer = {
            "status": "unchanged",
            "results": [{"seq": each["seq"], "status": "stored"} for each in samples],
            "settings": SETTINGS,
            "time": time.time(),
        }
        if self.requests % WATCHED_EACH == 0:
            answer["live"] = {"seconds": 30}
        if self.requests % PACKAGES_EACH == 0:
            answer["send"] = ["packages"]
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words):
        """Quiet."""


def serve():
    server = HTTPServer(("127.0.0.1", 0), Portal)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


class Clock:
    """Takes the place of both clocks; they stand still unless `to` is called."""

    def __init__(self):
        self.now, self.ahead = time.monotonic(), time.time() - time.monotonic()
        time.monotonic = lambda: self.now
        time.clock_gettime = lambda _which: self.now
        time.time = lambda: self.now + self.ahead

    def to(self, moment):
        self.now = max(self.now + 0.001, moment)


def footprint():
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "rss": pages * os.sysconf("SC_PAGE_SIZE"),
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "files": len(list(Path("/proc/self/fd").iterdir())),
    }


def live_through(daemon, clock, seconds):
    """As Daemon.loop and Shipper.run do, in one thread; gives the number of samples."""
    began, samples = clock.now, 0
    here = daemon.sender.connection.server
    nowhere = here._replace(netloc="127.0.0.1:9")
    due = clock.now + 1.0
    while clock.now < began + seconds:
        clock.to(min(due, clock.now + daemon.shipper.pause()))
        part = (clock.now - began) % SPELL / SPELL
        away = AWAY_FROM < part < AWAY_UNTIL
        if (daemon.sender.connection.server is nowhere) != away:
            daemon.sender.close()
            daemon.sender.connection.server = nowhere if away else here
        if clock.now >= due:
            for thread in daemon.gathering.threads:
                thread.work()
            daemon.tick()
            samples += 1
        daemon.shipper.work()
        if clock.now >= due or daemon.pace.changed.is_set():
            daemon.pace.changed.clear()
            due = daemon.pace.next_sample(clock.now)
    return samples


def agent(url, hours, folder):
    logging.disable(logging.CRITICAL)
    credential = folder / "credential.json"
    fields = {"server": url, "agent_id": "0" * 32, "secret": "x" * 43}
    credential.write_text(json.dumps(fields))
    config = Config(
        server=url, credential_file=str(credential), spool_dir=str(folder / "spool")
    )
    clock, daemon = Clock(), Daemon(config)
    daemon.sampler.sample()
    samples = live_through(daemon, clock, hours * HOUR * SETTLED)
    settled, used = footprint(), time.process_time()
    samples += live_through(daemon, clock, hours * HOUR * (1 - SETTLED))
    used = time.process_time() - used
    daemon.shipper.stop()
    daemon.gathering.stop()
    report = {
        "samples": samples,
        "left": daemon.spool.count(),
        "settled": settled,
        "end": footprint(),
        "cpu_share": used / (hours * HOUR * (1 - SETTLED)),
        "python_threads": threading.active_count(),
    }
    daemon.spool.close()
    sys.stdout.write(json.dumps(report) + "\n")


def run(hours):
    """The report of `agent`, each in a process of its own."""
    command = [sys.executable, "-m", "tests.agent.day"]
    with subprocess.Popen(
        [*command, "portal"], cwd=str(ROOT), stdout=-1, text=True
    ) as portal:
        try:
            url = f"http://127.0.0.1:{portal.stdout.readline().strip()}"
            done = subprocess.run(
                [*command, "agent", url, str(hours)],
                cwd=str(ROOT),
                env=dict(os.environ, MALLOC_ARENA_MAX="2"),
                stdout=-1,
                text=True,
                check=True,
            )
        finally:
            portal.terminate()
    return json.loads(done.stdout)


def faults(report):
    """Sentences; none when the agent is as it was."""
    settled, end = report["settled"], report["end"]
    growth = end["rss"] - settled["rss"]
    found = []
    if growth > RSS_GROWTH:
        found.append(f"its memory grew by {growth} bytes")
    for name, more in (("threads", 0), ("files", FILES_AT_MOST)):
        if end[name] > settled[name] + more:
            found.append(f"it has {end[name]} {name}, {settled[name]} before")
    if end["rss"] > RSS_AT_MOST:
        found.append(f"it takes {end['rss']} bytes of memory")
    if report["left"] > 10:
        found.append(f"{report['left']} samples are still on its disk")
    return found


def main(words):
    """1 when something grew or stayed behind."""
    report = run(float(words[0]) if words else 24)
    told = faults(report)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    sys.stdout.write("".join(f"Over the day {each}.\n" for each in told))
    return 1 if told else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["portal"]:
        serve()
    elif sys.argv[1:2] == ["agent"]:
        with tempfile.TemporaryDirectory(prefix="adminset-day-") as place:
            agent(sys.argv[2], float(sys.argv[3]), Path(place))
    else:
        sys.exit(main(sys.argv[1:]))
