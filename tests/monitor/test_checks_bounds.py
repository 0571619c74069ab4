"""Where checks may not go, whatever an address, a name or a redirect looks like."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.checks.probes import probe
from monitor.models import ServiceCheck
from tests.factories import make_host
from tests.monitor.real_servers import web_server

pytestmark = pytest.mark.django_db
LOOPBACK = ["127.0.0.0/8"]


@pytest.fixture(autouse=True)
def _may_go_here(settings: Any) -> None:
    settings.CHECK_ALLOWED_NETWORKS = LOOPBACK


@pytest.fixture
def web() -> Iterator[Any]:
    with web_server() as server:
        yield server


def check_of(server: Any, path: str = "/", **fields: Any) -> ServiceCheck:
    target = f"http://127.0.0.1:{server.server_port}{path}"
    fields = {"timeout_seconds": 2, **fields}
    return ServiceCheck(kind="http", target=target, **fields)


def test_a_redirect_into_a_network_that_is_not_allowed_is_not_followed(
    web: Any,
) -> None:
    metadata = "/to/http://169.254.169.254/latest/"
    found = probe(check_of(web, metadata, follow_redirects=True))
    assert found.state == "unknown"
    assert "ADMINSET_CHECK_ALLOWED_NETWORKS" in found.sentence


def test_a_check_of_a_host_is_not_led_away_from_it(web: Any) -> None:
    with web_server() as other:
        host = make_host(address="127.0.0.1")
        away = f"/to/http://localhost:{other.server_port}/"
        found = probe(check_of(web, away, host=host, follow_redirects=True))
        assert found.state == "down"
        assert other.asked == []


def test_a_check_of_a_host_goes_to_its_address_whatever_its_name_means(
    web: Any,
) -> None:
    host = make_host("web.nowhere.invalid", address="127.0.0.1")
    target = f"http://web.nowhere.invalid:{web.server_port}/x"
    found = probe(
        ServiceCheck(kind="http", host=host, target=target, timeout_seconds=2)
    )
    assert found.state == "up"
    assert web.asked[0][2]["Host"].startswith("web.nowhere.invalid")


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0x7f000001/",
        "http://localhost/",
        "http://[::ffff:127.0.0.1]/",
        "http://user:pass@10.0.0.1/",
        "file:///etc/passwd",
        "http://{host}/",
    ],
)
def test_no_check_goes_where_the_portal_may_not_go(target: str, settings: Any) -> None:
    settings.CHECK_ALLOWED_NETWORKS = ["10.0.0.0/8"]
    found = probe(ServiceCheck(kind="http", target=target, timeout_seconds=1))
    assert found.state == "unknown"


@pytest.mark.parametrize("kind", ["tcp", "ping", "certificate"])
def test_other_kinds_have_the_same_bounds(kind: str, settings: Any) -> None:
    settings.CHECK_ALLOWED_NETWORKS = []
    host = make_host(address="127.0.0.1")
    check = ServiceCheck(kind=kind, host=host, port=22, timeout_seconds=1)
    assert probe(check).state == "unknown"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_server_must_prove_its_name_unless_that_is_switched_off(
    tmp_path: Path, settings: Any
) -> None:
    with web_server(tmp_path) as server:
        host = make_host("web.test", address="127.0.0.1")
        address = f"https://web.test:{server.server_port}/"
        asked = {"kind": "http", "host": host, "target": address, "timeout_seconds": 3}
        assert probe(ServiceCheck(**asked)).state == "down"
        assert probe(ServiceCheck(**asked, verify_tls=False)).state == "up"
        # One that trusts nobody's proof does not spoil the next one.
        assert probe(ServiceCheck(**asked)).state == "down"
        settings.OUTBOUND_CA_FILE = str(server.authority.certificate_file)
        assert probe(ServiceCheck(**asked)).state == "up"
        other = make_host("other.test", address="127.0.0.1")
        wrong = f"https://other.test:{server.server_port}/"
        named = {**asked, "host": other, "target": wrong}
        assert probe(ServiceCheck(**named)).state == "down"
