"""Everything that a portal holds, as (place, bytes): database, Redis, MongoDB, processes, files."""

import base64
import binascii
import re
import sqlite3
import stat
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import bson
import psutil
import pymongo
import redis

from tests.canaries import command_lines, environments

SIGNED = re.compile(r"(\.?)([\w-]+):[\w-]+:[\w-]+")
# Where secrets belong, readable for the portal's user only.
ALLOWED = ("secrets", "agent/credential")
# Nothing of the portal's work is written there.
NOT_OURS = ("static", "cache")


def stores(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give what the stores of a running portal hold."""
    lines = (folder / "run" / "services.env").read_text().splitlines()
    urls = dict(line.split("=", 1) for line in lines if "=" in line)
    yield from _database(folder / "db" / "adminset.sqlite3")
    yield from redis_values(urls["REDIS_URL"])
    yield from _mongo(urls["MONGO_URL"])


def _database(path: Path) -> Iterator[tuple[str, bytes]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        tables = [
            name
            for (name,) in db.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            )
        ]
        for table in tables:
            for row in db.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - names from the database itself
                yield f"database table {table}", _as_bytes(row)
                yield from ((f"session in {table}", data) for data in _opened(row))


def _as_bytes(values: Iterable[object]) -> bytes:
    return b"\n".join(
        value if isinstance(value, bytes) else str(value).encode() for value in values
    )


def _opened(row: Iterable[object]) -> Iterator[bytes]:
    """Give what Django signed and packed: sessions are no secret store."""
    for value in row:
        found = SIGNED.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            continue
        try:
            data = base64.urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4))
            yield zlib.decompress(data) if found[1] else data
        except (binascii.Error, zlib.error):
            continue


def redis_values(url: str) -> Iterator[tuple[str, bytes]]:
    """Give every key of a Redis and what it holds."""
    client = redis.Redis.from_url(url)
    readers = {
        b"string": lambda key: [client.get(key) or b""],
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": lambda key: list(client.smembers(key)),
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"hash": lambda key: [
            part for pair in client.hgetall(key).items() for part in pair
        ],
        b"stream": lambda key: [repr(client.xrange(key)).encode()],
    }
    for key in client.scan_iter():
        kind = client.type(key)
        yield (
            f"Redis {kind.decode()} {key.decode(errors='replace')}",
            _as_bytes(
                [key, *readers.get(kind, lambda key: [client.dump(key) or b""])(key)]
            ),
        )
    yield "Redis channels", _as_bytes(client.pubsub_channels())


def _mongo(url: str) -> Iterator[tuple[str, bytes]]:
    client: pymongo.MongoClient = pymongo.MongoClient(url)
    for database in client.list_database_names():
        for name in client[database].list_collection_names():
            for document in client[database][name].find():
                yield f"MongoDB {database}.{name}", bson.encode(document)


def processes(launcher: int) -> Iterator[tuple[str, bytes]]:
    """Give command lines of all processes, and the environment of every one below the launcher (who was told a password)."""
    yield from command_lines()
    yield from environments(psutil.Process(launcher))


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give every file below the data directory, but those that hold secrets on purpose."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        inside = {
            name,
            *(parent.as_posix() for parent in path.relative_to(folder).parents),
        }
        if path.is_file() and not inside & {*ALLOWED, *NOT_OURS}:
            yield f"file {name}", name.encode() + b"\n" + path.read_bytes()


def open_to_others(folder: Path) -> list[str]:
    """Name the files and folders of secrets that somebody else may read."""
    held = [folder / name for name in ALLOWED]
    every = [*held, *(path for one in held if one.is_dir() for path in one.rglob("*"))]
    return [
        str(p) for p in every if p.exists() and stat.S_IMODE(p.stat().st_mode) & 0o077
    ]
