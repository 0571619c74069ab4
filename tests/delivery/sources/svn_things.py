"""Real svn repositories: one in a folder, one behind svnserve with a password."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.farm import free_port

needs_svn = pytest.mark.skipif(
    shutil.which("svnserve") is None, reason="svn is missing: apt-get subversion"
)


def run(*argv: str, cwd: Path | None = None) -> str:
    done = subprocess.run(argv, cwd=cwd, check=True, capture_output=True, text=True)
    return done.stdout


class SvnRepository:
    """An svn repository with trunk, branches and tags, and a working copy of trunk."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "repo"
        root.mkdir(parents=True)
        run("svnadmin", "create", str(self.folder))
        for room in ("trunk", "branches", "tags"):
            (root / "first" / room).mkdir(parents=True)
        (root / "first" / "trunk" / "x.txt").write_text("one\n")
        self.svn("import", str(root / "first"), self.url, "-m", "first")
        self.work = root / "work"
        self.svn("checkout", f"{self.url}/trunk", str(self.work))

    @property
    def url(self) -> str:
        """Its address, for tests that allow `file`."""
        return f"file://{self.folder}"

    def svn(self, *arguments: str) -> str:
        """Run svn."""
        return run("svn", "--non-interactive", "-q", *arguments)

    def commit(self, files: dict[str, str], message: str) -> None:
        """Write files into trunk and commit them."""
        for name, text in files.items():
            (self.work / name).write_text(text)
        self.svn("add", "--force", str(self.work))
        self.svn("commit", str(self.work), "-m", message)

    def copy(self, into: str) -> None:
        """Make a branch or tag of trunk."""
        target = f"{self.url}/{into}@"
        self.svn("copy", f"{self.url}/trunk", target, "-m", f"made {into}")


@dataclass
class SvnServer:
    """A repository behind svnserve."""

    url: str
    folder: Path
    repository: SvnRepository


@contextmanager
def svn_server(root: Path, *, user: str, password: str) -> Iterator[SvnServer]:
    """Serve a repository that wants a password."""
    repository = SvnRepository(root)
    conf = repository.folder / "conf"
    (conf / "svnserve.conf").write_text(
        "[general]\nanon-access = none\nauth-access = write\npassword-db = passwd\n"
    )
    (conf / "passwd").write_text(f"[users]\n{user} = {password}\n")
    port = free_port("127.0.0.1")
    listen = ["--listen-host", "127.0.0.1", "--listen-port", str(port)]
    server = subprocess.Popen(
        ["svnserve", "--daemon", "--foreground", *listen, "--root", str(root)]
    )
    try:
        _await(port)
        url = f"svn://127.0.0.1:{port}/repo"
        yield SvnServer(url, repository.folder, repository)
    finally:
        server.kill()
        server.wait()


def _await(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError("svnserve does not listen")
