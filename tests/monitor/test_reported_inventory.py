"""Memory modules, packages, users and ports in a report: read, bounded, made harmless."""

import json
from typing import Any

import pytest

from agent import facts as agent_facts
from cmdb.facts import clean
from monitor.body import BadFieldError
from monitor.intake import Limits, as_dict, parse_facts

NOW = 1_790_000_000.0
PORT = {"protocol": "tcp", "address": "::0001", "port": 22, "process": "sshd"}


def told(**facts: Any) -> dict[str, Any]:
    """Give what the portal understands of facts."""
    body = {"sent_at": NOW, "identity": {}, "facts": facts}
    report = parse_facts(json.dumps(body).encode(), Limits(), NOW)
    return as_dict(report.facts)


def test_what_a_host_has_is_read() -> None:
    packages = {
        "manager": "dpkg",
        "count": 2,
        "hash": "ab",
        "list": [["a", "1", "all"]],
    }
    found = told(
        memory_modules=[{"slot": "A1", "size_bytes": 8 << 30, "speed_mts": 3200}],
        packages=packages,
        users=[{"name": "root", "uid": 0, "shell": "/bin/bash"}],
        ports=[PORT],
        cloud="aws",
        cloud_instance_id="i-0abc",
        nics=[{"name": "eth0", "permanent_mac": "AA-BB-CC-00-11-22"}],
    )
    assert found["memory_modules"][0]["size_bytes"] == 8 << 30
    assert found["packages"] == packages
    assert found["users"] == [{"name": "root", "uid": 0, "shell": "/bin/bash"}]
    assert found["ports"] == [PORT | {"address": "::1"}]
    assert (found["cloud"], found["cloud_instance_id"]) == ("aws", "i-0abc")
    assert found["nics"][0]["permanent_mac"] == "aa:bb:cc:00:11:22"


def test_hostile_texts_become_plain() -> None:
    found = told(
        memory_modules=[{"slot": "\x1b[2J" + "x" * 5000}],
        packages={"hash": "\x00a", "list": [["a\nb", "1", "all"], ["only one"]]},
        users=[{"name": "\u202e\x07", "shell": "<script>"}],
        ports=[{"protocol": "tcp", "port": 1, "address": "not one"}],
    )
    assert len(found["memory_modules"][0]["slot"]) <= 255
    assert found["packages"]["list"] == [["a b", "1", "all"]]
    assert found["users"][0]["name"] == "?"
    assert found["ports"][0]["address"] == ""


@pytest.mark.parametrize(
    "facts",
    [
        {"ports": [{"protocol": "tcp", "port": 70000}]},
        {"ports": [PORT] * 2001},
        {"users": [{"uid": 1}]},
        {"memory_modules": [{"size_bytes": -1}]},
        {"packages": {"list": [["a", "1", "all"]] * 20_001}},
        {"packages": []},
    ],
)
def test_what_is_out_of_bounds_is_refused_with_its_place(facts: dict[str, Any]) -> None:
    with pytest.raises(BadFieldError) as caught:
        told(**facts)
    assert str(caught.value)


def test_the_agents_own_words_are_understood_whole() -> None:
    sent = agent_facts.facts("http://127.0.0.1:8000", "", {"packages"})
    found = told(**sent)
    assert len(found["users"]) == len(sent["users"])
    assert [each["port"] for each in found["ports"]] == [
        each["port"] for each in sent["ports"]
    ]
    assert found["packages"] == sent["packages"]


def test_the_host_keeps_count_and_hash_of_packages_and_never_their_list() -> None:
    sent = {"manager": "dpkg", "count": 1, "hash": "ab", "list": [["a", "1", "all"]]}
    assert clean({"packages": sent})["packages"] == {
        "manager": "dpkg",
        "count": 1,
        "hash": "ab",
    }
    assert clean({"packages": {"count": 1}, "ports": "x", "users": [1]}) == {}
    assert len(clean({"users": [{"name": "u"}] * 900})["users"]) == 500
