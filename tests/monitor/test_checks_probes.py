"""What checks find: asked of real servers of this machine."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import icmplib
import pytest

from monitor.checks import probes
from monitor.checks.probes import probe
from monitor.models import ServiceCheck
from tests.factories import make_host
from tests.monitor.real_servers import closed_port, dns_server, web_server

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


def test_a_web_server_that_answers_well_is_up(web: Any) -> None:
    found = probe(check_of(web))
    assert found.state == "up"
    assert "200" in found.sentence
    assert 0 < (found.latency_ms or 0) < 2000


def test_a_bad_status_is_down_unless_it_is_among_the_good_ones(web: Any) -> None:
    web.statuses["/gone"] = 503
    assert probe(check_of(web, "/gone")).state == "down"
    assert probe(check_of(web, "/gone", statuses="200, 500-504")).state == "up"


def test_a_text_must_be_there_or_must_be_missing(web: Any) -> None:
    assert probe(check_of(web, text="is well")).state == "up"
    assert probe(check_of(web, text="is ill")).state == "down"
    assert probe(check_of(web, text="is well", text_absent=True)).state == "down"
    assert probe(check_of(web, text="is ill", text_absent=True)).state == "up"


def test_an_answer_slower_than_the_limit_is_degraded(web: Any) -> None:
    found = probe(check_of(web, "/slow", latency_limit_ms=1, timeout_seconds=10))
    assert found.state == "degraded"
    assert "1 ms" in found.sentence


def test_an_answer_that_does_not_come_in_time_is_down(web: Any) -> None:
    begun = time.monotonic()
    found = probe(check_of(web, "/slow", timeout_seconds=1))
    assert found.state == "down"
    # The server would answer after 3 s.
    assert time.monotonic() - begun < 2.5


def test_nobody_who_listens_is_down() -> None:
    target = f"http://127.0.0.1:{closed_port()}/"
    found = probe(ServiceCheck(kind="http", target=target, timeout_seconds=2))
    assert found.state == "down"
    assert found.latency_ms is None


def test_an_endless_answer_is_cut_not_read(web: Any, settings: Any) -> None:
    settings.OUTBOUND_MAX_BYTES = 1000
    web.bodies["/long"] = b"x" * 100_000 + b"needle"
    assert probe(check_of(web, "/long")).state == "up"
    assert probe(check_of(web, "/long", text="needle")).state == "down"


def test_redirects_are_answers_unless_they_are_to_be_followed(web: Any) -> None:
    strict = {"statuses": "200"}
    assert probe(check_of(web, "/to//end", **strict)).state == "down"
    followed = check_of(web, "/to//end", follow_redirects=True, **strict)
    assert probe(followed).state == "up"
    circle = check_of(web, "/to//to//to//to//to//to//to//end", follow_redirects=True)
    assert probe(circle).state == "down"


def test_headers_and_the_secret_one_go_to_their_place_and_no_further(
    web: Any,
) -> None:
    with web_server() as other:
        check = check_of(
            web,
            f"/to/http://127.0.0.1:{other.server_port}/",
            follow_redirects=True,
            headers="X-Probe: yes",
            name="with a secret",
            secret_header="Authorization: Bearer s3cr3t",
        )
        check.save()
        assert probe(ServiceCheck.objects.get()).state == "up"
        sent = web.asked[0][2]
        assert (sent["X-Probe"], sent["Authorization"]) == ("yes", "Bearer s3cr3t")
        assert "s3cr3t" not in str(other.asked)


def test_a_port_that_takes_connections_is_up_and_a_closed_one_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
        host = make_host(address="127.0.0.1")
        open_one = ServiceCheck(kind="tcp", host=host, port=port, timeout_seconds=2)
        assert probe(open_one).state == "up"
    shut = ServiceCheck(kind="tcp", host=host, port=closed_port(), timeout_seconds=2)
    assert probe(shut).state == "down"


def test_days_of_a_certificate_say_up_degraded_down(
    tmp_path: Path, settings: Any
) -> None:
    with web_server(tmp_path) as server:
        settings.OUTBOUND_CA_FILE = str(server.authority.certificate_file)
        host = make_host("web.test", address="127.0.0.1")
        asked = {
            "kind": "certificate",
            "host": host,
            "target": "web.test",
            "port": server.server_port,
            "timeout_seconds": 3,
        }
        # The test's authority signs for a day or so.
        left = probe(ServiceCheck(**asked, warn_days=0, bad_days=0))
        assert left.state == "up", left
        assert probe(ServiceCheck(**asked, warn_days=99, bad_days=0)).state == (
            "degraded"
        )
        assert probe(ServiceCheck(**asked, warn_days=99, bad_days=99)).state == "down"
        settings.OUTBOUND_CA_FILE = ""
        untrusted = probe(ServiceCheck(**asked, warn_days=0, bad_days=0))
        assert untrusted.state == "down"
        assert "not trusted" in untrusted.sentence


def test_the_dns_answers_what_is_expected_or_not() -> None:
    with dns_server({"www.example.test.": ["192.0.2.7", "192.0.2.8"]}) as port:
        asked = {
            "kind": "dns",
            "target": "127.0.0.1",
            "port": port,
            "query_name": "www.example.test",
            "timeout_seconds": 2,
        }
        assert probe(ServiceCheck(**asked)).state == "up"
        assert probe(ServiceCheck(**asked, expected="192.0.2.8")).state == "up"
        assert probe(ServiceCheck(**asked, expected="192.0.2.9")).state == "down"
        missing = {**asked, "query_name": "gone.example.test"}
        assert probe(ServiceCheck(**missing)).state == "down"


def test_a_ping_without_the_right_says_so_and_blames_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise icmplib.SocketPermissionError(False)

    monkeypatch.setattr(probes.icmplib, "ping", refuse)
    found = probe(ServiceCheck(kind="ping", target="127.0.0.1", timeout_seconds=1))
    assert found.state == "unknown"
    assert "ping_group_range" in found.sentence


def test_a_host_that_answers_to_ping_is_up() -> None:
    found = probe(ServiceCheck(kind="ping", target="127.0.0.1", timeout_seconds=1))
    if "ping_group_range" in found.sentence:
        pytest.skip(
            "this machine does not let its users ping: net.ipv4.ping_group_range"
        )
    assert found.state == "up"
    assert found.latency_ms is not None


def test_what_a_server_sends_never_stops_the_round(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(check: ServiceCheck) -> None:
        raise RuntimeError("\x00 <script>")

    monkeypatch.setitem(probes.PROBES, "http", burst)
    found = probe(check_of(web))
    assert found.state == "unknown"
    assert "RuntimeError" in found.sentence


def test_hostile_text_of_a_dns_answer_becomes_one_plain_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = probes._compare(
        ServiceCheck(kind="dns"), ["\x00\x1b[31m<b>\n" + "x" * 2000], 1.0
    )
    monkeypatch.setitem(probes.PROBES, "dns", lambda check: words)
    found = probe(ServiceCheck(kind="dns"))
    assert len(found.sentence) <= 500
    assert found.sentence.isprintable()
