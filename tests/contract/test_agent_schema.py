"""The agents' endpoints of a real portal process, asked what their structures allow and what they do not: declared answers only, never a 500."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from monitor.store import MetricStore
from tests.contract.agent_operations import BODIES, declared, document
from tests.contract.operations import HOSTILE, LONG, TRIES, fuzz, operations, schema_of
from tests.simulation.servers import BareServer

pytestmark = [
    pytest.mark.xdist_group("portal"),
    pytest.mark.timeout(3600 if LONG else 240),
]
CASES = 12 * TRIES
# Tokens that are no agent's, printed; they go through no command line.
TOKENS = """
import json, sys
from datetime import timedelta
from django.utils import timezone
from accounts.models import ApiToken, User
from adminset.crypto import digest
from cmdb.services import agents
user = User.objects.create(username="fuzz", is_superuser=True)
ApiToken.objects.create(user=user, name="t", prefix="fuzzfuzzfuzz", secret_hash=digest("x"), can_write=True, expires_at=timezone.now() + timedelta(days=1))
token = agents.create_enrolment_token(actor=user, name="fuzz", use_limit=1000000)[1]
json.dump({"an administrator": "fuzzfuzzfuzz.x", "who enrols": token, "nobody": "", "half an agent": "a."}, sys.stdout)
"""


@dataclass
class Portal:
    """A running portal: a token for each kind of caller, and agents of its own for each test."""

    server: BareServer
    agents: list[tuple[int, str]]
    tokens: dict[str, str]

    def post(self, name: str, token: str, body: bytes) -> requests.Response:
        """Send a body as it stands."""
        url = f"http://127.0.0.1:{self.server.ports['portal']}/api/agent/v1/{name}"
        head = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.post(url, body, headers=head, timeout=20)

    def ask(self, token: str) -> Any:
        """Give what sends a case of schemathesis."""
        url = f"http://127.0.0.1:{self.server.ports['portal']}"
        head = {"Authorization": f"Bearer {token}"} if token else {}
        return lambda case: case.call(base_url=url, headers=head, timeout=20)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """A web process with its store."""
    server = BareServer(tmp_path_factory.mktemp("schema"))
    try:
        known = server.prepare(12)
        yield Portal(
            server, known, json.loads(server._manage("shell", "-v0", "-c", TOKENS))
        )
    finally:
        server.stop()


def _report(seq: int = 1) -> dict[str, Any]:
    now = time.time()
    table = {"name": "units", "time": now, "columns": ["name"], "rows": [["a"]]}
    sample = {"seq": seq, "time": now, "values": {"load.1": 0.5}}
    return {
        "boot_id": "b",
        "sent_at": now,
        "clock_offset": 0.0,
        "samples": [sample],
        "tables": [table | {"left_out": 1}],
        "left_out": {"mounts": 1},
    }


def _facts() -> dict[str, Any]:
    nic = {"name": "eth0", "mac": "02:00:00:00:00:01", "mtu": 1500, "up": True}
    nic |= {"addresses": [{"address": "192.0.2.9", "prefix": 24}]}
    facts = {"hostname": "sim00000", "memory_bytes": 2**30, "cpu_threads": 2}
    facts |= {"disks": [{"name": "sda", "size_bytes": 1}], "nics": [nic]}
    facts |= {"packages": {"manager": "dpkg", "count": 1, "hash": "0" * 64}}
    facts |= {"users": [{"name": "a", "uid": 1000, "shell": "/bin/sh"}]}
    facts |= {"booted_at": time.time() - 60, "time_zone": "UTC"}
    identity = {"machine_id": "ab" * 32, "macs": ["02:00:00:00:00:01"]}
    head = {"boot_id": "b", "seq": 1, "sent_at": time.time()}
    return head | {"identity": identity, "facts": facts}


WHOLE = {"enroll": _facts, "facts": _facts, "metrics": _report}


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize(
    "who",
    ["an agent", "who enrols", "an administrator", "nobody", "half an agent"],
)
def test_every_operation_answers_as_the_protocol_says(
    portal: Portal, who: str, *, negative: bool
) -> None:
    token = portal.agents[negative][1] if who == "an agent" else portal.tokens[who]
    own = {"an agent": {"facts", "metrics", "rotate"}, "who enrols": {"enroll"}}
    asked = 0
    for operation in operations(schema_of(document())):
        name = operation.path.rpartition("/")[2]
        tries = CASES if name in own.get(who, ()) else 2 * TRIES
        fuzz(operation, portal.ask(token), tries=tries, negative=negative)
        asked += 1
    assert asked == len(BODIES)
    _is_well(portal)


def _places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(tree, dict | list):
        keys = tree if isinstance(tree, dict) else range(len(tree))
        for key in keys:
            yield from _places(tree[key], (*path, key))


def _spoiled(tree: Any, path: tuple[Any, ...], text: str) -> bytes:
    """Give JSON with a text in the place of one of its parts."""
    if not path:
        return text.encode("utf-8", "surrogatepass")
    whole = json.loads(json.dumps(tree))
    inside = whole
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = "<here>"
    spoiled = json.dumps(whole).replace('"<here>"', text)
    return spoiled.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("name", WHOLE)
def test_a_hostile_value_in_any_place_is_answered_in_words(
    portal: Portal, name: str
) -> None:
    words, wrong, statuses = list(HOSTILE), {}, set()
    token = portal.tokens["who enrols"] if name == "enroll" else portal.agents[2][1]
    for number, path in enumerate(_places(WHOLE[name]())):
        some = words if LONG else words[number % 3 :: 3]
        for word in some:
            body = _spoiled(WHOLE[name](), path, HOSTILE[word])
            answer = portal.post(name, token, body)
            statuses.add(answer.status_code)
            told = answer.json()
            if answer.status_code >= 400 and not told["error"]["message"].endswith("."):
                wrong[f"{path} {word}"] = told
            if str(answer.status_code) not in declared():
                wrong[f"{path} {word}"] = answer.status_code
    assert wrong == {}
    assert statuses & {200, 201}
    assert statuses & {422}
    _is_well(portal)


def _is_well(portal: Portal) -> None:
    """See that an agent that nobody spoilt is served, and what it sent is stored once."""
    host_id, token = portal.agents[-1]
    report = _report(round(time.time() * 1000))
    answer = portal.post("metrics", token, json.dumps(report).encode())
    assert [each["status"] for each in answer.json()["results"]] == ["stored"]
    store = MetricStore(portal.server.mongo_url)
    moment = report["samples"][0]["time"]
    assert len(store.samples_of(host_id, moment - 0.001, moment + 0.001)) == 1
    for other, _token in portal.agents:
        for sample in store.samples_of(other, 0, 2e9):
            assert all(abs(value) <= 1e18 for value in sample.values.values())
    store.close()
