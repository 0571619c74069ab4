"""Short ways to ask for the files of a host as its page does, and names that are not made for it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from django.test import Client
from django.urls import reverse

from adminset.models import AuditEntry
from cmdb.models import Host
from tasks.hostfiles.paths import written

# Each is one name in a folder; the last is no UTF-8.
ODD_NAMES = (
    b"with space.txt",
    b'it\'s "quoted" `id`.txt',
    b"two\nlines.txt",
    b"$(touch pwned);&|*?[a].txt",
    "文件 ü.txt".encode(),
    b"-rf",
    b"%2e%2e+&=#.txt",
    b"bad\xff\xfebytes.txt",
)


class FilesPage:
    """A browser on the files of one host."""

    def __init__(self, client: Client, host: Host) -> None:
        self.client = client
        self.host = host

    def url(self, name: str = "host_files", *paths: Path | bytes, **query: str) -> str:
        """Give an address, with paths as the page writes them."""
        asked = [f"path={written(os.fsencode(path))}" for path in paths]
        asked += [f"{name}={value}" for name, value in query.items()]
        found = reverse(f"tasks:{name}", args=[self.host.pk])
        return f"{found}?{'&'.join(asked)}" if asked else found

    def get(self, name: str, *paths: Path | bytes, **query: str) -> Any:
        """Ask for a page."""
        return self.client.get(self.url(name, *paths, **query))

    def rows(self, path: Path | bytes, **query: str) -> Any:
        """Draw a folder."""
        return self.get("host_files_rows", path, **query)

    def call(self, name: str, path: Path | bytes | None = None, **body: Any) -> Any:
        """Send JSON; paths are written."""
        if path is not None:
            body["path"] = path
        sent = {
            key: written(os.fsencode(value))
            if isinstance(value, bytes | Path)
            else value
            for key, value in body.items()
        }
        return self.client.post(
            self.url(name),
            json.dumps(sent),
            content_type="application/json",
            headers={"accept": "application/json"},
        )

    def begin(self, path: Path | bytes, content: bytes, **body: Any) -> Any:
        """Begin an upload."""
        sent = {"size": len(content), "mark": "1"} | body
        return self.call("host_files_upload", path, **sent)

    def piece(
        self, token: str, offset: int, content: bytes, sha256: str | None = None
    ) -> Any:
        """Send a piece of an upload."""
        digest = sha_of(content) if sha256 is None else sha256
        return self.client.post(
            self.url("host_files_piece", offset=str(offset)),
            content,
            content_type="application/octet-stream",
            headers={
                "accept": "application/json",
                "x-upload": token,
                "x-sha256": digest,
            },
        )

    def finish(self, token: str, content: bytes) -> Any:
        """Have an upload compared and placed."""
        return self.call("host_files_finish", token=token, sha256=sha_of(content))

    def upload(
        self, path: Path | bytes, content: bytes, size: int = 2**20, **body: Any
    ) -> Any:
        """Upload a file in pieces; gives the last answer."""
        begun = self.begin(path, content, **body)
        if begun.status_code != 201:
            return begun
        token = begun.json()["token"]
        for offset in range(begun.json()["offset"], len(content), size):
            answer = self.piece(token, offset, content[offset : offset + size])
            assert answer.status_code == 200, answer.content
        return self.finish(token, content)


def sha_of(content: bytes) -> str:
    """Hash some bytes."""
    return hashlib.sha256(content).hexdigest()


def told(act: str) -> list[dict[str, Any]]:
    """Give what the trail was told of an act, the oldest first: {field: value}."""
    lines = AuditEntry.objects.filter(verb=f"hostfile.{act}").order_by("pk")
    return [{c["field"]: c["new"] for c in line.changes} for line in lines]


def refusal(answer: Any) -> str:
    """Give the code of a refusal."""
    assert answer.status_code >= 400, answer.content
    return str(answer.json()["error"]["code"])
