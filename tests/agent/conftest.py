"""A stand-in for the portal that speaks real HTTP, and agents to try against it."""

import gzip
import io
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from agent import __main__ as commands
from agent.config import Config
from tests.agent.shipping import Background, shipper_of, spool_of

ROOT = Path(__file__).resolve().parents[2]
AGENT_ID = "0123456789abcdef0123456789abcdef"
SECRET = "s3cr3t-" + "x" * 36
SETTINGS = {"sample_seconds": 1, "flush_seconds": 1, "facts_seconds": 3600}


class Portal:
    """Answers as docs/agent-protocol.md says, or as `answers[name]` wants it."""

    def __init__(self, port=0):
        self.requests = []
        self.clients = set()
        self.stored = {}
        self.doubles = 0
        self.settings = dict(SETTINGS)
        self.answers = {}
        self.changed = threading.Condition()
        portal = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                portal.handle(self)

            def log_message(self, *words):
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}
        )
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def handle(self, handler):
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        name = handler.path.rsplit("/", 1)[-1]
        payload = json.loads(gzip.decompress(raw)) if raw else None
        with self.changed:
            self.clients.add(handler.client_address)
            self.requests.append((name, dict(handler.headers), payload))
            answer = self.answers.get(name) or getattr(self, name)
            status, headers, body = answer(payload)
            self.changed.notify_all()
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        for key, value in headers.items():
            handler.send_header(key, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def enroll(self, payload):
        return 201, {}, {"agent_id": AGENT_ID, "secret": SECRET}

    def rotate(self, payload):
        return 200, {}, {"agent_id": AGENT_ID, "secret": SECRET[::-1]}

    def facts(self, payload):
        return 200, {}, {"status": "changed", "settings": self.settings}

    def metrics(self, payload):
        results = []
        for sample in payload["samples"]:
            moment = round(sample["time"] * 1000)
            double = moment in self.stored
            self.doubles += double
            self.stored[moment] = (payload["boot_id"], sample)
            status = "duplicate" if double else "stored"
            results.append({"seq": sample["seq"], "status": status})
        return 200, {}, {"results": results, "settings": self.settings}

    def named(self, name):
        return [entry for entry in self.requests if entry[0] == name]

    def wait_for(self, truth, seconds=10):
        with self.changed:
            assert self.changed.wait_for(truth, seconds), "nothing came"


@pytest.fixture
def refusal():
    """Makes an answer that refuses."""

    def make(status, message="No.", headers=None):
        body = {"error": {"code": "x", "message": message}}
        return lambda payload: (status, headers or {}, body)

    return make


@pytest.fixture
def open_portal():
    opened = []

    def open_one(port=0):
        opened.append(Portal(port))
        return opened[-1]

    yield open_one
    for portal in opened:
        portal.close()


@pytest.fixture
def portal(open_portal):
    return open_portal()


@pytest.fixture
def credential_file(tmp_path):
    path = tmp_path / "credential.json"
    fields = {"server": "", "agent_id": AGENT_ID, "secret": SECRET}
    path.write_text(json.dumps(fields))
    return path


@pytest.fixture
def config(portal, credential_file, tmp_path):
    return Config(
        server=portal.url,
        credential_file=str(credential_file),
        spool_dir=str(tmp_path / "spool"),
        connect_timeout_seconds=2,
        read_timeout_seconds=2,
    )


def environment(config):
    """The process environment with every option of the config in it."""
    variables = {
        f"ADMINSET_AGENT_{name.upper()}": str(value)
        for name, value in config._asdict().items()
        if value != ""
    }
    return dict(os.environ, PYTHONPATH=str(ROOT), **variables)


Done = namedtuple("Done", "returncode stdout stderr")


@pytest.fixture
def run_agent(monkeypatch, capsys):
    """Runs the command line in this process, which is quicker than a new one."""

    def run(*arguments, env=None, stdin=""):
        with monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            for name in set(os.environ) - set(env or os.environ):
                patch.delenv(name)
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            patch.setattr(logging.getLogger("agent"), "handlers", [])
            capsys.readouterr()
            code = commands.main(list(arguments))
            logging.getLogger("agent").propagate = True
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def run_process():
    """Runs `python -m agent ...` in a process of its own to its end."""

    def run(*arguments, env=None):
        command = [sys.executable, "-m", "agent", *arguments]
        env = env or dict(os.environ, PYTHONPATH=str(ROOT))
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=20, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def start_agent(tmp_path):
    """Starts the daemon, its log in tmp_path/log; killed at the end of the test."""
    started = []

    def start(config):
        with (tmp_path / "log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "agent"],
                env=environment(config),
                stderr=log,
                cwd=str(tmp_path),
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def environ():
    return environment


@pytest.fixture
def eventually():
    """Waits for a truth about files, which tell nobody when they change."""

    def wait(truth, seconds=10):
        deadline = time.monotonic() + seconds
        while not truth():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.02)

    return wait


@pytest.fixture
def sample():
    def make(seq, moment=None, boot_id="boot", size=0):
        moment = time.time() if moment is None else moment
        values = {"load.1": 0.5, "x.y|" + "z" * size: 1}
        return {"boot_id": boot_id, "seq": seq, "time": moment, "values": values}

    return make


@pytest.fixture
def hands(monkeypatch):
    """The wall clock and the steady one, to be turned by hand, or both by `go`."""
    made = SimpleNamespace(wall=1_700_000_000.0, steady=5000.0)
    monkeypatch.setattr(time, "time", lambda: made.wall)
    monkeypatch.setattr(time, "monotonic", lambda: made.steady)
    monkeypatch.setattr(time, "clock_gettime", lambda _which: made.steady)

    def go(seconds):
        made.wall += seconds
        made.steady += seconds

    made.go = go
    return made


@pytest.fixture
def spool(config):
    made = spool_of(config)
    yield made
    made.close()


@pytest.fixture
def background():
    return Background()


@pytest.fixture
def shipper(config, spool, background):
    made = shipper_of(config, spool, background)
    yield made
    made.sender.close()
