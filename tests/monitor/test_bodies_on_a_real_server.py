"""Bodies that are meant to kill, against a real server: refused in words, and the process hardly notices."""

import contextlib
import gzip
import http.client
import zlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.bench.ingest import small_portal
from tests.mongo import MongoServer

MIB = 2**20
MOST_MORE_MEMORY = 32 * MIB


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[int, str, psutil.Process]]:
    """A web process with a metric store and an enrolled agent: (port, token, process)."""
    folder: Path = tmp_path_factory.mktemp("server")
    mongo = MongoServer(folder / "mongo").start()
    with small_portal(folder, mongo.url, agents=1) as (port, tokens, process):
        # The first request loads what later ones share.
        _post(port, tokens[0], [b"{}"])
        yield port, tokens[0], process
    mongo.kill()


def _post(
    port: int, token: str, chunks: list[bytes], **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    sent = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
    } | headers
    # The server may have answered before it was told everything.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.request(
            "POST", "/api/agent/v1/metrics", iter(chunks), sent, encode_chunked=True
        )
    answer = connection.getresponse()
    return answer.status, answer.read()


def _peak(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def test_a_gzip_bomb_of_one_gibibyte_is_413_and_costs_little_memory(
    server: tuple[int, str, psutil.Process],
) -> None:
    port, token, process = server
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(1024)) + packer.flush()
    assert len(bomb) < 2 * MIB
    before = _peak(process)
    status, text = _post(
        port,
        token,
        [bomb],
        **{"Transfer-Encoding": "chunked", "Content-Encoding": "gzip"},
    )
    assert status == 413
    assert b'"too_large"' in text
    assert _peak(process) - before < MOST_MORE_MEMORY


def test_a_small_bomb_that_unpacks_past_the_limit_is_413(
    server: tuple[int, str, psutil.Process],
) -> None:
    port, token, process = server
    before = _peak(process)
    bomb = gzip.compress(bytes(200 * MIB))
    assert len(bomb) < MIB
    status, text = _post(
        port,
        token,
        [bomb],
        **{"Transfer-Encoding": "chunked", "Content-Encoding": "gzip"},
    )
    assert (status, b'"too_large"' in text) == (413, True)
    assert _peak(process) - before < MOST_MORE_MEMORY


def test_ten_megabytes_without_a_length_are_413_before_they_are_all_read(
    server: tuple[int, str, psutil.Process],
) -> None:
    port, token, process = server
    before = _peak(process)
    status, _text = _post(
        port, token, [b"x" * 65536] * 160, **{"Transfer-Encoding": "chunked"}
    )
    assert status == 413
    assert _peak(process) - before < MOST_MORE_MEMORY


def test_the_server_still_answers_afterwards(
    server: tuple[int, str, psutil.Process],
) -> None:
    port, token, _process = server
    status, text = _post(port, token, [b"{}"], **{"Transfer-Encoding": "chunked"})
    assert status == 422
    assert b"sent_at" in text
