"""The agent's real lists and values through the portal's real parser: nothing of them is lost or altered."""

import json
import time
from pathlib import Path

from agent.chores import chores
from agent.sampler import Sampler
from agent.tables import Background
from monitor.body import Limits
from monitor.intake import parse_metrics
from monitor.metrics import CATALOGUE, split_name
from monitor.prometheus.names import labels_of

CAPTURED = Path(__file__).resolve().parents[1] / "agent" / "captured"


def test_real_tables_and_values_arrive_whole() -> None:
    background = Background("contract", chores(str(CAPTURED), None))
    background.work()
    sampler = Sampler(others=[background.values])
    sampler.sample()
    time.sleep(1.1)
    sample, tables = sampler.sample() | {"seq": 1}, background.undelivered()
    body = {"boot_id": "b", "sent_at": time.time(), "samples": [sample]}
    more = {"tables": tables, "left_out": background.left_out()}
    report = parse_metrics(json.dumps(body | more).encode(), Limits(), time.time())
    assert not report.dropped
    assert report.samples[0].sample.values == sample["values"]
    assert {table.name for table in report.tables} == {each["name"] for each in tables}
    sent = {each["name"]: each for each in tables}
    for table in report.tables:
        assert list(table.columns) == sent[table.name]["columns"]
        assert [list(row) for row in table.rows] == sent[table.name]["rows"]


def test_custom_values_come_back_with_the_labels_they_were_written_with() -> None:
    background = Background("contract", chores(str(CAPTURED), None))
    background.work()
    names = [name for name in background.values() if "backup_size" in name]
    labels = labels_of(names[0], {"host": "web-1", "group": "g", "idc": "i"})
    assert labels["__name__"] == "backup_size_bytes"
    assert labels["exported_host"] == "a,b"
    assert labels["job"] == "nightly"


def test_every_metric_of_the_chores_is_in_the_catalogue() -> None:
    background = Background("contract", chores("", None))
    background.work()
    unknown = {split_name(name)[0] for name in background.values()} - set(CATALOGUE)
    assert unknown == set()
