"""What hosts say of themselves is hostile text: it is cleaned, and every fault has a place and a sentence."""

import json
from typing import Any

import pytest

from adminset.errors import DomainError
from monitor.intake import (
    as_dict,
    parse_enrolment,
    parse_facts,
)
from tests.monitor.bodies import (
    LIMITS,
    NOW,
    facts,
)


def test_facts_are_cleaned() -> None:
    report = parse_facts(facts(unknown=1), LIMITS, NOW)
    found = report.facts
    assert found.hostname == "web-1.example.org"
    assert found.primary_address == "fe80::1"
    assert found.os_name == "Debian [31m GNU/Linux"
    assert found.kernel == "x" * 255
    assert found.nics
    assert found.nics[0].mac == "aa:bb:cc:00:11:22"
    assert found.nics[0].speed_mbps is None
    assert found.nics[0].addresses
    assert found.nics[0].addresses[0].address == "2001:db8::1"
    assert found.nics[1].mac is None
    assert report.identity.macs == ["aa:bb:cc:00:11:22"]
    assert report.identity.machine_id == "ab" * 16
    assert as_dict(found)["disks"][0]["size_bytes"] == 10**12


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"hostname": "a b"}, "facts.hostname"),
        ({"hostname": "<script>"}, "facts.hostname"),
        ({"hostname": "x" * 300}, "facts.hostname"),
        ({"hostname": "web\n"}, None),
        ({"primary_address": "1.2.3"}, "facts.primary_address"),
        ({"memory_bytes": -1}, "facts.memory_bytes"),
        ({"memory_bytes": 1 << 70}, "facts.memory_bytes"),
        ({"memory_bytes": "8G"}, "facts.memory_bytes"),
        ({"disks": {}}, "facts.disks"),
        ({"disks": [{}]}, "facts.disks[0]"),
        ({"nics": [{"name": "a"}, {"name": "b", "mac": "zz"}]}, "facts.nics[1].mac"),
        (
            {"nics": [{"name": "a", "addresses": [{"address": "x"}]}]},
            "facts.nics[0].addresses[0].address",
        ),
    ],
)
def test_a_wrong_fact_is_named(changes: dict[str, Any], path: str | None) -> None:
    if path is None:
        parse_facts(facts(**changes), LIMITS, NOW)
        return
    with pytest.raises(DomainError) as caught:
        parse_facts(facts(**changes), LIMITS, NOW)
    assert caught.value.status == 422
    assert list(caught.value.fields) == [path]


def test_an_enrolment_needs_some_identity() -> None:
    assert parse_enrolment(facts(), LIMITS, NOW).identity.machine_id
    body = json.dumps({"sent_at": NOW, "identity": {}, "facts": {}}).encode()
    with pytest.raises(DomainError) as caught:
        parse_enrolment(body, LIMITS, NOW)
    assert list(caught.value.fields) == ["identity"]
