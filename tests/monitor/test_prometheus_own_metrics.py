"""What the portal says of itself at /metrics: what is in it, who may read it, and that it is cheap."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import User
from adminset import redis_door
from adminset.health import SIGN_OF_LIFE
from cmdb.models import Agent, AssetStatus, HostGroup
from monitor.prometheus import own_metrics
from monitor.store import MetricStore
from tests.factories import make_host, make_user
from tests.monitor.prometheus_sender import basic, bearer, token_of


@pytest.fixture(autouse=True)
def _ask_the_store_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_metrics, "STORE", own_metrics.Store())


@pytest.fixture
def scraper(db: None) -> dict[str, str]:
    """The header of a token that may read the portal's own measurements."""
    user = make_user("prometheus", perms=["monitor.view_portalmetrics"])
    return bearer(token_of(user, can_write=False))


def scrape(headers: dict[str, str]) -> dict[tuple[str, tuple[str, ...]], float]:
    """Read /metrics: (name, values of its labels in the order of their names) -> value."""
    answer = Client().get("/metrics", **headers)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("text/plain")
    return {
        (sample.name, tuple(v for _, v in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_it_says_how_the_portal_and_its_fleet_are(
    measurements: MetricStore, scraper: dict[str, str]
) -> None:
    in_use = AssetStatus.objects.create(name="in service")
    for name in ("a", "b"):
        make_host(name, status=in_use)
    Agent.objects.create(host=make_host("c"), secret_hash="x")
    redis_door.client().set(SIGN_OF_LIFE, time.time() - 3)
    found = scrape(scraper)
    assert found["adminset_hosts", ("in service",)] == 2
    assert found["adminset_hosts", ("",)] == 1
    assert found["adminset_hosts_silent", ()] == 1
    assert found["adminset_hosts_reporting", ()] == 0
    assert found["adminset_store_up", ()] == 1
    assert found["adminset_queue_length", ("adminset",)] >= 0
    assert found["adminset_queue_length", ("runs",)] >= 0
    assert 3 <= found["adminset_beat_age_seconds", ()] < 60
    assert found["process_resident_memory_bytes", ()] > 2**20


def test_it_counts_requests_by_room(scraper: dict[str, str], client: Client) -> None:
    key = ("adminset_http_requests_total", ("GET", "accounts", "200"))
    before = scrape(scraper).get(key, 0)
    client.get("/accounts/sign-in/")
    odd = client.generic("BREW", "/no/such/page/")
    after = scrape(scraper)
    assert after[key] == before + 1
    assert after[
        "adminset_http_requests_total", ("other", "none", str(odd.status_code))
    ]
    assert after["adminset_http_request_seconds_count", ("accounts",)] >= 1


def test_a_part_that_is_away_costs_its_own_lines_only(
    scraper: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Any:
        raise redis.ConnectionError

    monkeypatch.setattr(redis_door, "client", away)
    found = scrape(scraper)
    assert found["adminset_part_readable", ("queues",)] == 0
    assert found["adminset_part_readable", ("fleet",)] == 1
    # No store runs in this test.
    assert found["adminset_store_up", ()] == 0


def test_nobody_reads_it_without_the_permission_or_the_network(
    scraper: dict[str, str],
    operator: User,
    group: HostGroup,
    settings: Any,
    client_of: Callable[[User], Client],
) -> None:
    assert Client().get("/metrics").status_code == 401
    assert client_of(operator).get("/metrics").status_code == 403
    # It is about the whole portal.
    scoped = make_user("s", perms=["monitor.view_portalmetrics"], groups=[group])
    assert Client().get("/metrics", **bearer(token_of(scoped))).status_code == 403  # type: ignore[arg-type]
    scrape(basic(scraper["HTTP_AUTHORIZATION"].removeprefix("Bearer ")))
    settings.OWN_METRICS_NETWORKS = ["10.0.0.0/8"]
    assert Client().get("/metrics").status_code == 401
    assert Client().get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200
    forged = {"HTTP_X_FORWARDED_FOR": "10.1.2.3", "REMOTE_ADDR": "192.0.2.1"}
    assert Client().get("/metrics", **forged).status_code == 401  # type: ignore[arg-type]


def test_openmetrics_is_given_to_who_asks_for_it(scraper: dict[str, str]) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    answer = Client().get("/metrics", HTTP_ACCEPT=accept, **scraper)  # type: ignore[arg-type]
    assert answer["Content-Type"].startswith("application/openmetrics-text")
    assert answer.content.endswith(b"# EOF\n")


def test_it_is_cheap(measurements: MetricStore, scraper: dict[str, str]) -> None:
    scrape(scraper)
    took = []
    for _ in range(5):
        before = time.perf_counter()
        own_metrics.written("")
        took.append(time.perf_counter() - before)
    assert min(took) < 0.05


def test_a_process_that_answers_agents_only_is_scraped_and_written_to_as_well(
    scraper: dict[str, str], settings: Any
) -> None:
    settings.ROOT_URLCONF = settings.INTAKE_URLCONF
    assert scrape(scraper)["adminset_part_readable", ("fleet",)] == 1
    assert Client().get("/metrics").status_code == 401
    assert Client().post("/api/prom/write").status_code == 401
    assert Client().get("/api/prom/api/v1/query", **scraper).status_code == 404  # type: ignore[arg-type]
