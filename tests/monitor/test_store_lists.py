"""Lists of a host in the store: each is the newest of its name, and they find an end."""

import random
import string
from typing import Any

import pytest

from monitor.store import MetricStore
from monitor.table_keeping import MOST_LISTS, UNSAID_SECONDS
from monitor.tables_of_hosts import Table
from tests.mongo import TestDatabase
from tests.monitor.storing import Clock, rolled_up, samples

NAMES = ("name",)


def table(name: str, time: float, row: str = "x") -> Table:
    return Table(name, time, NAMES, [[row]])


def test_a_list_is_not_hidden_by_a_newer_one_of_another_name(
    store: MetricStore,
) -> None:
    store.keep_tables(1, [table("processes", 160.0), table("units", 160.0)])
    # SNMP is slow: what it built before the last report comes with this one.
    store.keep_tables(1, [table("ports", 150.0)])
    store.keep_tables(
        1, [table("processes", 150.0, "old"), table("units", 170.0, "new")]
    )
    found = store.read_tables(1)
    assert {name: kept.time for name, kept in found.items()} == {
        "processes": 160.0,
        "units": 170.0,
        "ports": 150.0,
    }
    assert (found["processes"].rows, found["units"].rows) == ([["x"]], [["new"]])


def test_lists_that_a_host_does_not_send_any_more_go(
    store: MetricStore, database: TestDatabase, clock: Clock
) -> None:
    store.write(1, samples(1))
    old, new = 1000.0, 1000.0 + UNSAID_SECONDS + 60
    store.keep_tables(1, [table("containers", old), table("units", old)])
    store.keep_tables(1, [table("units", new)])
    assert set(store.read_tables(1)) == {"containers", "units"}
    # With its first hour the host comes onto the list of those whose turn comes.
    rolled_up(store, clock)
    assert store.drop_old(now=clock.now) == 0
    store.drop_old(now=clock.now + 7 * 3600)
    assert set(store.read_tables(1)) == {"units"}
    # Of a host that is silent all stays.
    store.drop_old(now=clock.now + 400 * 86400)
    assert set(store.read_tables(1)) == {"units"}


def test_names_without_end_do_not_fill_a_document(
    store: MetricStore, database: TestDatabase
) -> None:
    for n in range(0, 400, 20):
        store.keep_tables(1, [table(f"t{n + i}", 100.0 + n + i) for i in range(20)])
    found = store.read_tables(1)
    assert len(found) == MOST_LISTS
    assert "t399" in found
    assert "t0" not in found
    # Another process does not know what is there, and finds it out.
    other = MetricStore(database.url, database.name)
    other.keep_tables(1, [table(f"u{i}", 1000.0) for i in range(20)])
    assert len(other.read_tables(1)) == MOST_LISTS
    other.close()


@pytest.mark.parametrize("rows", [500, 3000])
def test_a_list_is_cut_to_what_a_document_has_room_for(
    store: MetricStore, raw: Any, rows: int
) -> None:
    rng = random.Random(3)  # noqa: S311
    letters = string.ascii_letters + string.digits
    some = [
        ["".join(rng.choices(letters, k=200)) for _ in range(3)] for _ in range(rows)
    ]
    columns = ("a", "b", "c")
    store.keep_tables(1, [Table(f"t{n}", 1.0, columns, some) for n in range(2)])
    assert len(raw.tables.find_one({"_id": 1})["l"]["t0"]["z"]) < 200_000
    kept = store.read_tables(1)["t0"]
    assert kept.rows == some[: len(kept.rows)]
    assert len(kept.rows) + kept.left_out == rows
