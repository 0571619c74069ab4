"""A document that the store does not take is its host's fault: no other host hears of it, and nothing is forgotten for it."""

from concurrent.futures import Future
from typing import Any

import pytest
from pymongo.errors import BulkWriteError, WriteError

from monitor import reception
from monitor.grouped_writes import Group
from monitor.mongo import RefusedDocument
from monitor.reception import Write
from monitor.series import Sample
from monitor.store import MetricStore, StoreUnavailable
from monitor.tables_of_hosts import Table
from monitor.tiers import StoreOptions
from tests.mongo import TestDatabase
from tests.monitor.storing import CPU, HOUR, samples

TOO_LARGE = {"writeErrors": [{"code": 10334, "index": 0}], "writeConcernErrors": []}


def failing(error: Exception) -> Any:
    def fail(*_args: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "error",
    [
        BulkWriteError(TOO_LARGE),
        WriteError("too large", 17419),
        OverflowError("MongoDB can only handle up to 8-byte ints"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ],
)
def test_a_fault_of_a_document_is_told_as_that_and_nothing_is_forgotten(
    store: MetricStore, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    store.write(1, samples(1))
    forgotten: list[int] = []
    monkeypatch.setattr(store._door, "_forget", lambda: forgotten.append(1))
    with monkeypatch.context() as patch:
        patch.setattr(store._writer, "write", failing(error))
        with pytest.raises(RefusedDocument) as caught:
            store.write(1, samples(2))
    assert caught.value.status == 422
    assert "does not answer" not in caught.value.message
    assert not forgotten
    assert store.write(1, samples(2)) == ["duplicate", "stored"]


def test_a_disk_that_is_full_is_no_fault_of_a_document(
    store: MetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = {"writeErrors": [{"code": 14031, "index": 0}], "writeConcernErrors": []}
    monkeypatch.setattr(store._writer, "write", failing(BulkWriteError(full)))
    with pytest.raises(StoreUnavailable):
        store.write(1, samples(1))


def test_the_store_itself_says_what_is_too_large(database: TestDatabase) -> None:
    options = StoreOptions(custom_series=100_000)
    store = MetricStore(database.url, database.name, options)
    names = {f"custom.{'n' * 90}|{n}" + "x" * 150: 1.0 for n in range(80_000)}
    with pytest.raises(RefusedDocument):
        store.write(1, [Sample(HOUR, names | {CPU: 1.0})])
    assert store.write(1, samples(1)) == ["stored"]
    store.close()


def test_one_bad_host_is_refused_alone(
    measurements: MetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = measurements._lists.keep

    def picky(db: Any, reported: Any) -> None:
        if 3 in reported:
            raise BulkWriteError(TOO_LARGE)
        keep(db, reported)

    monkeypatch.setattr(measurements._lists, "keep", picky)
    group: Group[Write, Any] = Group(
        "test", reception.write_group, window=0.2, spares=reception._is_not_the_store
    )
    listed = [Table("units", 1.0, ("name",), [["a"]])]
    told: dict[int, Future[Any]] = {
        host: group.submit(Write(host, samples(1), listed)) for host in range(1, 7)
    }
    for host, future in told.items():
        if host == 3:
            with pytest.raises(RefusedDocument):
                future.result(10)
        else:
            assert future.result(10)[0] in {"stored", "duplicate"}
            assert measurements.read_tables(host).keys() == {"units"}
