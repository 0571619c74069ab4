"""Reads the database of an AdminSet 0.5 or 0.6, a MySQL or MariaDB of any age or an SQLite file, and never writes to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import dj_database_url
import pymysql
from pymysql.cursors import DictCursor

Row = dict[str, Any]
CONNECT_SECONDS = 10
# What tells AdminSet's table of hosts from ours, which has the same name.
HOST_COLUMNS = {"hostname", "ip", "sn"}


class Unreadable(Exception):
    """The address leads to no database of AdminSet; says why, without the address: it may hold a password."""


class AdminSet:
    """The tables of one AdminSet. Which of them there are, and with which columns, differs from version to version."""

    def __init__(self, cursor: Any, names: list[str]) -> None:
        self._cursor = cursor
        # Some servers keep names in small letters only.
        self._names = {name.lower(): name for name in names}

    def has(self, table: str) -> bool:
        """Say whether there is such a table."""
        return table.lower() in self._names

    def rows(self, table: str) -> list[Row]:
        """Give the rows of a table in the order of their keys, columns in small letters; [] where there is none."""
        name = self._names.get(table.lower())
        if name is None:
            return []
        # The name comes from the database's own list, and equals one of ours.
        self._cursor.execute(f"SELECT * FROM `{name}` ORDER BY id")  # noqa: S608
        return [
            {column.lower(): value for column, value in dict(row).items()}
            for row in self._cursor.fetchall()
        ]

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        name = self._names.get(table.lower())
        if name is None:
            return 0
        self._cursor.execute(f"SELECT COUNT(*) AS n FROM `{name}`")  # noqa: S608
        return int(dict(self._cursor.fetchone())["n"])


@contextmanager
def opened(url: str) -> Iterator[AdminSet]:
    """Open the database for reading; all tables are read as they were at one moment.

    Raises:
        Unreadable: the address makes no sense, nobody answers there, or it is not AdminSet's.
    """
    try:
        known = dj_database_url.parse(url.replace("mariadb://", "mysql://", 1))
    except ValueError:
        raise Unreadable(
            "The database address makes no sense. Such as mysql://user:password@host:3306/adminset or sqlite:////path/db.sqlite3."
        ) from None
    kind = known["ENGINE"].rpartition(".")[2]
    if kind not in {"mysql", "sqlite3"}:
        raise Unreadable("AdminSet kept its data in MySQL, MariaDB or SQLite only.")
    opener = _sqlite if kind == "sqlite3" else _mysql
    try:
        with opener(known) as found:
            _ensure_adminset(found)
            yield found
    except (sqlite3.Error, pymysql.Error, OSError) as error:
        raise Unreadable(f"The database cannot be read: {error}") from None


def _ensure_adminset(found: AdminSet) -> None:
    if not found.has("cmdb_host"):
        raise Unreadable("This database has no table of hosts: it is not AdminSet's.")
    hosts = found.rows("cmdb_host")
    if hosts and not set(hosts[0]) >= HOST_COLUMNS:
        raise Unreadable("This is not a database of AdminSet 0.5 or 0.6.")


@contextmanager
def _sqlite(known: dict[str, Any]) -> Iterator[AdminSet]:
    path = Path(known["NAME"])
    if not path.is_file():
        raise Unreadable("There is no such file.")
    address = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as link:
        link.row_factory = sqlite3.Row
        # One character that is no UTF-8 must not hide a whole table.
        link.text_factory = lambda raw: raw.decode("utf-8", "replace")
        cursor = link.cursor()
        cursor.execute("BEGIN")
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        yield AdminSet(cursor, [row["name"] for row in cursor.fetchall()])


@contextmanager
def _mysql(known: dict[str, Any]) -> Iterator[AdminSet]:
    # Not by Django, which refuses the MariaDB 5.5 that AdminSet's installer brought along.
    link = pymysql.connect(
        host=known["HOST"] or "127.0.0.1",
        port=int(known["PORT"] or 3306),
        user=known["USER"],
        password=known["PASSWORD"],
        database=known["NAME"],
        charset="utf8mb4",
        connect_timeout=CONNECT_SECONDS,
        cursorclass=DictCursor,
    )
    with closing(link), link.cursor() as cursor:
        with suppress(pymysql.Error):
            # Servers before MariaDB 10.0 and MySQL 5.6 do not know it; nothing here writes anyway.
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        cursor.execute(
            "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
        )
        yield AdminSet(cursor, [row["name"] for row in cursor.fetchall()])
