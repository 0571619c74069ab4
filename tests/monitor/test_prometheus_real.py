"""A real Prometheus beside us: it finds hosts by our service discovery, scrapes our /metrics and remote-writes to us."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cmdb.models import Host
from monitor.prometheus import metric_names, places_of_samples, series_book
from monitor.prometheus.series_book import BOOK
from monitor.store import MetricStore
from tests.factories import make_host, make_user
from tests.mongo import free_port
from tests.monitor.prometheus_sender import ask, bearer, token_of

PROMETHEUS = shutil.which("prometheus")
PATIENCE_SECONDS = 45
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: adminset
    authorization: {{credentials: "{token}"}}
    static_configs: [{{targets: ["{portal}"]}}]
    relabel_configs: [{{target_label: instance, replacement: "portal:8000"}}]
  - job_name: fleet
    http_sd_configs:
      - url: "http://{portal}/api/v1/inventory/prometheus/?port=9"
        authorization: {{type: Bearer, credentials: "{token}"}}
        refresh_interval: 1s
    relabel_configs:
      - {{source_labels: [__meta_adminset_hostname], target_label: instance}}
remote_write:
  - url: "http://{portal}/api/prom/write"
    authorization: {{credentials: "{token}"}}
    queue_config: {{batch_send_deadline: 1s}}
"""
PERMISSIONS = (
    "cmdb.view_host",
    "monitor.view_metrics",
    "monitor.view_portalmetrics",
    "monitor.write_metrics",
)

pytestmark = [
    pytest.mark.skipif(
        PROMETHEUS is None,
        reason="prometheus is not installed (apt install prometheus)",
    ),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def token(db: None) -> str:
    for each in (BOOK, places_of_samples, metric_names):
        each.forget()  # type: ignore[attr-defined]
    return token_of(make_user("prometheus", perms=PERMISSIONS))


@pytest.fixture
def portal_host(token: str) -> Host:
    """The host that the scraped portal runs on."""
    return make_host("portal")


@pytest.fixture
def prometheus(
    live_server: Any,
    measurements: MetricStore,
    token: str,
    portal_host: Host,
    tmp_path: Path,
) -> Iterator[Path]:
    """A running Prometheus; gives its log."""
    config, log = tmp_path / "prometheus.yml", tmp_path / "log"
    portal = live_server.url.removeprefix("http://")
    config.write_text(CONFIG.format(portal=portal, token=token))
    words = [
        str(PROMETHEUS),
        f"--config.file={config}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{free_port()}",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(words, stdout=out, stderr=out)
    yield log
    process.terminate()
    process.wait(20)


def wait_for(seen: Callable[[], Any], log: Path) -> Any:
    """Wait until something is there."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if found := seen():
            return found
        time.sleep(0.5)
    raise AssertionError(log.read_text()[-3000:])


def result(query: str, token: str) -> list[dict[str, Any]]:
    answer = ask("query", bearer(token), query=query)
    assert answer.status_code == 200, answer.said
    found: list[dict[str, Any]] = answer.said["data"]["result"]
    return found


def test_prometheus_scrapes_us_finds_our_hosts_and_writes_to_us(
    prometheus: Path, token: str, portal_host: Host
) -> None:
    # Scraped from our /metrics, written to our receiver, asked of our query API.
    (scraped,) = wait_for(
        lambda: result('adminset_hosts{job="adminset"}', token), prometheus
    )
    assert scraped["metric"]["host"] == "portal"
    assert scraped["metric"]["instance"] == "portal:8000"
    assert float(scraped["value"][1]) == Host.objects.count()
    # Found by our service discovery: nothing listens there, so that it is down.
    (down,) = wait_for(lambda: result('up{job="fleet"}', token), prometheus)
    assert (down["metric"]["instance"], down["value"][1]) == ("portal", "0")
    (up,) = wait_for(lambda: result('up{job="adminset"} == 1', token), prometheus)
    assert up["metric"]["instance"] == "portal:8000"
    # Several requests for one moment: nothing of a scrape is lost.
    count = 'scrape_samples_post_metric_relabeling{job="adminset"}'
    wait_for(
        lambda: [
            each
            for each in result(count, token)
            if float(each["value"][1]) > 50
            and len(result('{job="adminset"}', token)) >= float(each["value"][1])
        ],
        prometheus,
    )
    assert "non-recoverable error" not in prometheus.read_text()


def test_it_says_why_in_prometheus_log_where_a_host_is_unknown(
    prometheus: Path, portal_host: Host, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for(lambda: result('up{job="adminset"} == 1', token), prometheus)
    monkeypatch.setattr(series_book, "PLACE_SECONDS", 0)
    Host.objects.filter(pk=portal_host.pk).update(hostname="renamed")
    wait_for(lambda: "are of no host" in prometheus.read_text(), prometheus)
    lines = [line for line in prometheus.read_text().splitlines() if "non-rec" in line]
    assert json.dumps("portal")[1:-1] in lines[0]
