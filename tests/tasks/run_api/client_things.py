"""The command-line client as a process of its own, against a portal that listens; and a line that breaks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tasks import output
from tasks.models import Run

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "deploy" / "adminset_cli.py"


class Cli:
    """Calls the client with a token in a file."""

    def __init__(self, url: str, token: str, folder: Path) -> None:
        self.folder, self.url = folder, url
        self.token = folder / "token"
        self.token.write_text(token)
        self.token.chmod(0o600)

    def environment(self, **more: str) -> dict[str, str]:
        """Give what the client finds around it."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "ADMINSET_URL": self.url,
            "ADMINSET_TOKEN_FILE": str(self.token),
            **more,
        }

    def start(
        self, *words: str, stdin: int = subprocess.PIPE, **environ: str
    ) -> subprocess.Popen[str]:
        """Start it, as a shell in the foreground would: whoever runs the tests in the background ignores Ctrl-C."""
        listening = ["env", "--default-signal=INT"]
        return subprocess.Popen(
            [*listening, sys.executable, "-I", SCRIPT, *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(**environ),
            cwd=self.folder,
        )

    def __call__(
        self, *words: str, given: str = "", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        process = self.start(*words, **environ)
        out, err = process.communicate(given, timeout=60)
        return subprocess.CompletedProcess(words, process.returncode, out, err)


class Line:
    """A wire to a portal that can be cut: what goes through it breaks off, and nothing new comes through until it is mended."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._there = (parts.hostname, parts.port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self.whole = threading.Event()
        self.whole.set()
        self.cuts = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _address = self._door.accept()
            except OSError:
                return
            if not self.whole.is_set():
                near.close()
                continue
            far = socket.create_connection(self._there)
            self._open += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(
                    target=self._carry, args=(source, target), daemon=True
                ).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        finally:
            source.close()
            target.close()

    def cut(self) -> None:
        """Break all that goes through it now."""
        self.whole.clear()
        self.cuts += 1
        for each in self._open:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._open.clear()

    def mend(self) -> None:
        """Let through again."""
        self.whole.set()

    def close(self) -> None:
        """End it."""
        self.cut()
        self._door.close()


@contextmanager
def speaking(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Answer one connection after the other with these bytes, and hang up; give the address and what was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            for answer in answers:
                try:
                    near, _address = door.accept()
                except OSError:
                    return
                with near:
                    asked.append(near.recv(65536))
                    near.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}", asked
        # One that nobody came to is not waited for.
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def wrote(run: Run, name: str, text: str) -> None:
    """Append to the output of a host, as a lane does."""
    path = output.path_of(run.pk, run.hosts.get(host_name=name).pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text)


def until(what: Callable[[], Any]) -> Any:
    """Ask until the answer is true, and give it."""
    for _ in range(300):
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")
