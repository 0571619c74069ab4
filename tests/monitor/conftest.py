"""What the tests of monitoring share: a real metric store, an enrolled agent, and a way to post as it."""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pymongo
import pytest
from django.test import Client

from accounts.models import User
from cmdb.models import Host
from cmdb.services import agents
from monitor import reception
from monitor.store import MetricStore
from tests.factories import make_user
from tests.mongo import TestDatabase, real_mongo_url
from tests.monitor.storing import Clock

IDENTITY = {"machine_id": "ab" * 32, "product_uuid": None, "serial": None, "macs": []}


@dataclass
class Reporter:
    """An enrolled agent as a test drives it."""

    client: Client
    token: str
    host: Host

    def post(
        self, path: str, body: Any, *, token: str | None = None, **headers: Any
    ) -> Any:
        """Post JSON (or raw bytes) as the agent."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = self.token if token is None else token
        if sent:
            headers["HTTP_AUTHORIZATION"] = f"Bearer {sent}"
        return self.client.post(
            f"/api/agent/v1/{path}", data, content_type="application/json", **headers
        )

    def post_gzip(self, path: str, body: bytes) -> Any:
        """Post compressed."""
        return self.post(path, gzip.compress(body), HTTP_CONTENT_ENCODING="gzip")


@pytest.fixture
def reporter(db: None, client: Client, measurements: MetricStore) -> Reporter:
    """An agent that was enrolled through the API a moment ago."""
    agents.forget_recent()
    reception.paces.drop(lambda _pace: True)
    token = enrolment_token(make_user("installer", is_superuser=True))
    body = {
        "identity": IDENTITY,
        "boot_id": "b1",
        "sent_at": time.time(),
        "facts": {"hostname": "web1"},
    }
    made = Reporter(client, token, Host())
    answer = made.post("enroll", body)
    assert answer.status_code == 201, answer.json()
    given = answer.json()
    host = Host.objects.get(agent__public_id=given["agent_id"])
    return Reporter(client, f"{given['agent_id']}.{given['secret']}", host)


@pytest.fixture(params=["SecantusDB", "MongoDB"])
def database(request: pytest.FixtureRequest) -> Iterator[TestDatabase]:
    """A database of its own on the embedded server, and on the MongoDB that TEST_MONGO_URL or MONGO_URL names."""
    if request.param == "MongoDB":
        if not real_mongo_url():
            pytest.skip("neither TEST_MONGO_URL nor MONGO_URL names a MongoDB")
        made = TestDatabase(real_mongo_url())
    else:
        made = TestDatabase(request.getfixturevalue("mongo_url"))
    yield made
    made.drop()


@pytest.fixture
def clock() -> Clock:
    """A clock that the test turns."""
    return Clock()


@pytest.fixture
def store(database: TestDatabase, clock: Clock) -> Iterator[MetricStore]:
    """A metric store with the test's clock."""
    made = MetricStore(database.url, database.name, clock=clock)
    made.ensure_indexes()
    yield made
    made.close()


@pytest.fixture
def raw(database: TestDatabase) -> Iterator[Any]:
    """The store's database without the store."""
    with pymongo.MongoClient(database.url) as client:
        yield client[database.name]


def enrolment_token(actor: User, use_limit: int = 1) -> str:
    """Make an enrolment token and give its text."""
    return agents.create_enrolment_token(actor=actor, name="test", use_limit=use_limit)[
        1
    ]


@pytest.fixture
def batch() -> Callable[..., dict[str, Any]]:
    """Make the body of a metrics report: `count` samples, 15 s apart, the last one now."""

    def make(count: int = 1, first_seq: int = 1, **extra: Any) -> dict[str, Any]:
        now = round(time.time(), 3)
        samples = [
            {
                "seq": first_seq + i,
                "time": now - 15 * (count - 1 - i),
                "values": {"cpu.busy_percent": 10.0 + i},
            }
            for i in range(count)
        ]
        return {"boot_id": "b1", "sent_at": now, "samples": samples} | extra

    return make


def busy_lines(store: MetricStore, host_id: int) -> list[float]:
    """Give the CPU readings that the store holds of a host for the last hour, oldest first."""
    now = time.time()
    found = store.series(host_id, ["cpu.busy_percent"], now - 3600, now + 1)
    line = found.series.get("cpu.busy_percent")
    return [value for value in line.average if value is not None] if line else []
