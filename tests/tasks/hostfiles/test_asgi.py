"""Downloads as uvicorn serves them: part by part, and closed when the browser goes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.asgi import application
from tasks.hostfiles import door, flows
from tests.tasks.hostfiles.things import FilesPage, sha_of, told

pytestmark = pytest.mark.django_db(transaction=True)
CONTENT = os.urandom(6 * 2**20)


def scope_of(address: str, cookies: Any) -> dict[str, Any]:
    path, _, query = address.partition("?")
    cookie = "; ".join(f"{name}={one.value}" for name, one in cookies.items())
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"testserver"), (b"cookie", cookie.encode())],
        "scheme": "http",
        "http_version": "1.1",
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
    }


async def fetch(scope: dict[str, Any], leave_after: int | None = None) -> list[bytes]:
    """Ask as a browser does; it may leave after so many parts."""
    parts: list[bytes] = []
    gone = asyncio.Event()
    asked = False

    async def receive() -> dict[str, Any]:
        nonlocal asked
        if not asked:
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200, message
        elif message.get("body"):
            parts.append(message["body"])
            if len(parts) == leave_after:
                gone.set()
                # A browser that is gone takes nothing.
                await asyncio.sleep(30)

    await asyncio.wait_for(application(scope, receive, send), 60)
    return parts


@pytest.fixture
def address(page: FilesPage, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(flows, "GATHERED_BYTES", 256 * 1024)
    (folder / "big.bin").write_bytes(CONTENT)
    return page.url("host_files_download", folder / "big.bin")


def test_it_comes_part_by_part(page: FilesPage, address: str) -> None:
    parts = asyncio.run(fetch(scope_of(address, page.client.cookies)))
    assert b"".join(parts) == CONTENT
    assert len(parts) > 10
    (end,) = told("download_end")
    assert (end["sha256"], end["whole"]) == (sha_of(CONTENT), True)


def test_a_browser_that_leaves_ends_it(page: FilesPage, address: str) -> None:
    asyncio.run(fetch(scope_of(address, page.client.cookies), leave_after=2))
    (end,) = told("download_end")
    assert end["whole"] is False
    assert end["size"] < len(CONTENT)
    assert door._busy == {}


def test_a_stranger_gets_nothing(
    address: str, client_of: Callable[[User], Client], stranger: User
) -> None:
    with pytest.raises(AssertionError):
        asyncio.run(fetch(scope_of(address, client_of(stranger).cookies)))
    assert told("download") == []
