"""Files of a host through the portal beside bare SFTP by the same library: upload, download, what the web process remembers.

A real web process, a real sshd, an HTTP client that does what the page does (two pieces on their way at a time); the machine's
cores are shared by all of them. ADMINSET_BENCH_FILE_MIB says how large the file is: 5120 for the figure of issue 7.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tasks.ssh.connect import connect
from tasks.ssh.ways import Patience, dial_directly
from tests import services, template
from tests.bench.figures import Figure
from tests.farm import SshFarm, throw_away_user
from tests.tasks.portal_things import PREPARE, ROOT, Driver

MIB = 2**20
SIZE = int(os.environ.get("ADMINSET_BENCH_FILE_MIB", "1024")) * MIB
ROUNDS = 2
CSRF = "b" * 32
TAKE = 1 * MIB
SIGN_IN = """
import time
from accounts.models import User
from accounts.sessions import SessionStore
from adminset.http import PROVED_AT
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
user, session = User.objects.get(), SessionStore()
session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), "accounts.backends.RoleBackend"
session[HASH_SESSION_KEY], session[PROVED_AT] = user.get_session_auth_hash(), time.time()
session.create()
print(session.session_key)
"""


def run(folder: Path) -> list[Figure]:
    """Measure bare SFTP and the portal in turns, and give the best of each."""
    folder.chmod(0o711)
    source, digest = _source(folder / "source")
    with (
        throw_away_user() as (user, _password),
        SshFarm(1, folder / "farm", extra="LogLevel QUIET", user=user) as farm,
    ):
        home = Path(f"~{user}").expanduser()
        best: dict[str, float] = {}

        def timed(name: str, act: Callable[[], None]) -> None:
            began = time.perf_counter()
            act()
            rate = SIZE / MIB / (time.perf_counter() - began)
            best[name] = max(rate, best.get(name, 0))

        with _portal(folder, farm) as (page, web):
            # The first request of a process loads much.
            page.call("folder/", {"path": str(home / "warm")})
            page.upload(source, home / "first", digest, MIB)
            with _watched(web) as seen:
                for number in range(ROUNDS):
                    there = home / f"file{number}"
                    timed("bare up", lambda: _bare(farm, source, home / "bare", True))
                    timed("up", lambda to=there: page.upload(source, to, digest))  # type: ignore[misc]
                    timed(
                        "bare down", lambda: _bare(farm, source, home / "bare", False)
                    )
                    timed("down", lambda of=there: page.download(of, digest))  # type: ignore[misc]
                    there.unlink()
    return _figures(best, seen)


def _source(path: Path) -> tuple[Path, str]:
    digest, piece = hashlib.sha256(), os.urandom(MIB)
    with path.open("wb") as file:
        for number in range(SIZE // MIB):
            part = number.to_bytes(8) + piece[8:]
            digest.update(part)
            file.write(part)
    return path, digest.hexdigest()


def _bare(farm: SshFarm, source: Path, there: Path, up: bool) -> None:
    """Do it with the library's own client, one file at a time."""
    connection = connect(farm.target(farm.hosts[0]), Patience(20), dial_directly)
    back = source.with_name("back")
    try:
        sftp = connection.sftp()
        if up:
            sftp.put(str(source), str(there))
        else:
            sftp.get(str(there), str(back))
            assert back.stat().st_size == SIZE
            back.unlink()
    finally:
        connection.close()


class _Page:
    """What the page of a host's files does, without a browser."""

    def __init__(self, port: int, cookie: str, folder: Path) -> None:
        self._port = port
        self._folder = folder
        self._headers = {
            "Accept": "application/json",
            "Cookie": f"sessionid={cookie}; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
        }

    def call(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send JSON."""
        plain = {"Content-Type": "application/json"}
        return self._post(self._connection(), name, json.dumps(body).encode(), plain)

    def upload(self, source: Path, to: Path, sha256: str, most: int = SIZE) -> None:
        """Upload the beginning of a file; only the whole is compared and placed."""
        begun = self.call("upload/", {"path": str(to), "size": SIZE, "mark": "1"})
        size = begun["piece_bytes"]
        offsets, lock = iter(range(0, most, size)), threading.Lock()
        failed: list[BaseException] = []

        def send() -> None:
            connection = self._connection()
            try:
                with source.open("rb") as file:
                    while True:
                        with lock:
                            offset = next(offsets, None)
                        if offset is None:
                            return
                        file.seek(offset)
                        self._piece(connection, begun["token"], offset, file.read(size))
            except BaseException as error:
                failed.append(error)
                raise

        threads = [threading.Thread(target=send) for _number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise RuntimeError("a piece did not arrive") from failed[0]
        last = "finish/" if most == SIZE else "abandon/"
        self.call(f"upload/{last}", {"token": begun["token"], "sha256": sha256})

    def download(self, path: Path, sha256: str) -> None:
        """Download a file, and compare its hash with what was sent."""
        connection, digest = self._connection(), hashlib.sha256()
        address = f"/tasks/hosts/1/files/download/?path={path}"
        connection.request("GET", address, headers=self._headers)
        answer = connection.getresponse()
        with (self._folder / "back").open("wb") as file:
            while part := answer.read(TAKE):
                digest.update(part)
                file.write(part)
        (self._folder / "back").unlink()
        if digest.hexdigest() != sha256:
            raise RuntimeError(f"the download is not what was sent: {answer.status}")

    def _piece(
        self,
        connection: http.client.HTTPConnection,
        token: str,
        offset: int,
        data: bytes,
    ) -> None:
        headers = {
            "Content-Type": "application/octet-stream",
            "X-Upload": token,
            "X-Sha256": hashlib.sha256(data).hexdigest(),
        }
        self._post(connection, f"upload/piece/?offset={offset}", data, headers)

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=300)

    def _post(
        self,
        connection: http.client.HTTPConnection,
        name: str,
        body: bytes,
        headers: dict[str, str],
    ) -> dict[str, Any]:
        address = f"/tasks/hosts/1/files/{name}"
        connection.request("POST", address, body, self._headers | headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{name}: {answer.status} {said[:500]!r}")
        return dict(json.loads(said))


@contextmanager
def _portal(folder: Path, farm: SshFarm) -> Iterator[tuple[_Page, psutil.Process]]:
    template.copy_to(folder / "db.sqlite3")
    port = services.free_port()
    own = {
        "ADMINSET_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
        "REDIS_URL": services.redis_url(),
        "LOG_LEVEL": "WARNING",
    }
    driver = Driver(os.environ | own)
    host = farm.hosts[0]
    hosts = [(host.name, host.address, host.port, host.host_key)]
    key = farm.client_key.read_text()
    driver.ask(PREPARE, user=farm.user, key=key, hosts=hosts)
    driver.answer()
    driver.ask(SIGN_IN)
    page = _Page(port, driver.answer(), folder)
    words = ["-m", "uvicorn", "adminset.asgi:application", "--port", str(port)]
    quiet = ["--no-access-log", "--log-level", "warning", "--lifespan", "on"]
    command = [sys.executable, *words, *quiet]
    web = subprocess.Popen(command, cwd=ROOT, env=os.environ | own)
    try:
        services.wait_for_port(port, web, 60)
        yield page, psutil.Process(web.pid)
    finally:
        web.terminate()
        web.wait(30)
        driver.stop()


@contextmanager
def _watched(process: psutil.Process) -> Iterator[dict[str, int]]:
    """Note the most memory that a process holds meanwhile, beside what it held before (bytes)."""
    seen = {"before": process.memory_info().rss, "most": 0}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            seen["most"] = max(seen["most"], process.memory_info().rss)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def _figures(best: dict[str, float], seen: dict[str, int]) -> list[Figure]:
    size = f"{SIZE / MIB / 1024:g} GiB"
    found = []
    for name, word in (("up", "upload"), ("down", "download")):
        bare = best[f"bare {name}"]
        beside = f"{bare:.0f} MB/s bare SFTP of the same library"
        found.append(Figure(f"files, {word} of {size}", best[name], "MB/s", "", beside))
        ratio = best[name] / bare
        goal = ">= 0.7 x (issue 7)"
        found.append(Figure(f"files, {word} against bare SFTP", ratio, "x", goal))
    grown = (seen["most"] - seen["before"]) / MIB
    held = f"{seen['before'] / MIB:.0f} MB before"
    memory = Figure("files, memory of the web process", grown, "MB more", "flat", held)
    return [*found, memory]
