"""Bodies as agents send them, good ones and refused ones."""

import json
from functools import partial
from typing import Any

import pytest

from adminset.errors import DomainError
from monitor.intake import (
    Limits,
    inflate,
    parse_enrolment,
    parse_facts,
    parse_metrics,
)

NOW = 1_790_000_000.0
LIMITS = Limits()
VALUES = {"cpu.busy_percent": 3.25, "fs.used_bytes|/": 123456}


def batch(*samples: dict[str, Any], **fields: Any) -> bytes:
    body = {"boot_id": "b", "sent_at": NOW, "samples": list(samples), **fields}
    return json.dumps(body).encode()


def sample(**fields: Any) -> dict[str, Any]:
    return {"seq": 1, "time": NOW - 5, "values": VALUES, **fields}


def refused(body: bytes) -> DomainError:
    with pytest.raises(DomainError) as caught:
        parse_metrics(body, LIMITS, NOW)
    assert str(caught.value).endswith(".")
    assert caught.value.hint
    return caught.value


FACTS = {
    "hostname": "web-1.example.org.",
    "primary_address": "fe80::1%eth0",
    "os_name": "Debian\x00\x1b[31m  GNU/Linux",
    "cpu_cores": 4,
    "memory_bytes": 8 << 30,
    "disks": [{"name": "sda", "size_bytes": 10**12, "rotational": False}],
    "nics": [
        {
            "name": "eth0",
            "mac": "AA-BB-CC-00-11-22",
            "speed_mbps": -1,
            "addresses": [{"address": "2001:DB8:0::1", "prefix": 64}],
        },
        {"name": "sit0", "mac": "00:00:00:00"},
    ],
    "kernel": "x" * 5000,
}
IDENTITY = {"machine_id": "AB" * 16, "macs": ["aabbcc001122", "AA:BB:CC:00:11:22"]}


def facts(**changes: Any) -> bytes:
    body = {"sent_at": NOW, "identity": IDENTITY, "facts": {**FACTS, **changes}}
    return json.dumps(body).encode()


def sentences_of(body: bytes) -> list[str]:
    """Give what each reader says of a body, "" where it takes it; anything but a DomainError goes through."""
    readers = [
        partial(parse, body, LIMITS, NOW)
        for parse in (parse_metrics, parse_facts, parse_enrolment)
    ]
    readers += [partial(inflate, body, encoding, LIMITS) for encoding in ("gzip", "")]
    said = []
    for read in readers:
        try:
            read()
        except DomainError as error:
            said.append(json.loads(json.dumps(error.as_envelope()))["error"]["message"])
        else:
            said.append("")
    return said


def all_are_sentences(said: list[str]) -> bool:
    """Whether each refusal says something in a sentence."""
    return all(text == "" or text.endswith(".") for text in said)
