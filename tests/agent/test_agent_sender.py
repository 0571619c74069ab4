"""The sender against a real HTTP server: every answer of the protocol's table."""

import gzip
import socket
import time
from email.utils import formatdate

import pytest

from agent import sender as http
from agent.connection import MOST_ANSWER_BYTES
from agent.sender import Sender, retry_after
from agent.version import VERSION

TOKEN = "0123456789abcdef0123456789abcdef.s3cr3t-and-long-enough"


@pytest.fixture
def sender(config):
    made = Sender(config.server, TOKEN, config)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (400, http.DROP),
        (401, http.DENIED),
        (403, http.DENIED),
        (409, http.DENIED),
        (413, http.SPLIT),
        (422, http.DROP),
        (429, http.WAIT),
        (503, http.WAIT),
        (500, http.RETRY),
        (502, http.RETRY),
        (404, http.RETRY),
    ],
)
def test_every_refusal_has_its_action(sender, portal, refusal, status, action):
    portal.answers["metrics"] = refusal(status, "Because.")
    reply = sender.post("metrics", {})
    assert (reply.action, reply.status, reply.sentence) == (action, status, "Because.")


def test_a_stored_batch_is_answered_for(sender, portal):
    body = {"boot_id": "b", "samples": [{"seq": 1, "time": 1.0, "values": {"a": 1}}]}
    reply = sender.post("metrics", body)
    assert reply.action == http.STORED
    assert reply.body["results"] == [{"seq": 1, "status": "stored"}]


def test_requests_are_compressed_named_and_signed(
    sender, portal, monkeypatch, tmp_path
):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login eve password wrong\n")
    monkeypatch.setenv("NETRC", str(netrc))
    sender.post("facts", {"facts": {"hostname": "é"}})
    _, headers, payload = portal.requests[0]
    assert headers["Authorization"] == "Bearer " + TOKEN
    assert headers["User-Agent"] == "adminset-agent/" + VERSION
    assert headers["Content-Encoding"] == "gzip"
    assert payload == {"facts": {"hostname": "é"}}


def test_clock_skew_keeps_the_samples(sender, portal):
    error = {"code": "clock_skew", "message": "Off by a year.", "hint": "Use NTP."}
    portal.answers["metrics"] = lambda payload: (422, {}, {"error": error})
    reply = sender.post("metrics", {})
    assert (reply.action, reply.sentence) == (http.SKEW, "Off by a year. Use NTP.")


def test_a_redirect_is_not_followed(sender, portal, refusal):
    target = {"Location": portal.url + "/elsewhere"}
    portal.answers["metrics"] = lambda payload: (302, target, b"x" * 100)
    reply = sender.post("metrics", {})
    assert reply.action == http.RETRY
    assert "redirect" in reply.sentence
    assert len(portal.requests) == 1


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff", b"[" * 200000, b""])
def test_a_success_that_is_not_json_is_no_success(sender, portal, body):
    portal.answers["metrics"] = lambda payload: (200, {}, body)
    assert sender.post("metrics", {}).action == http.RETRY


def test_an_endless_answer_is_cut(sender, portal):
    body = b"x" * (MOST_ANSWER_BYTES + 1)
    portal.answers["metrics"] = lambda payload: (200, {}, body)
    reply = sender.post("metrics", {})
    assert reply.action == http.RETRY
    assert "larger than" in reply.sentence


def test_a_compressed_answer_is_not_inflated(sender, portal):
    packed = gzip.compress(b"{}")
    coded = {"Content-Encoding": "gzip"}
    portal.answers["metrics"] = lambda payload: (200, coded, packed)
    assert sender.post("metrics", {}).action == http.RETRY


def test_a_sentence_is_harmless_and_short(sender, portal, refusal):
    portal.answers["metrics"] = refusal(500, "a\x1b[31m\n\x00b" + "c" * 5000)
    sentence = sender.post("metrics", {}).sentence
    assert sentence.isprintable()
    assert len(sentence) <= 300


def test_the_answer_says_how_long_to_wait(sender, portal, refusal):
    portal.answers["metrics"] = refusal(503, headers={"Retry-After": "17"})
    assert sender.post("metrics", {}).retry_after == 17.0


def test_retry_after_is_seconds_or_a_date():
    assert retry_after("120") == 120.0
    assert retry_after(formatdate(time.time() + 60, usegmt=True)) == pytest.approx(
        60, abs=2
    )
    assert retry_after(formatdate(time.time() - 60, usegmt=True)) == 0.0
    assert retry_after("99999999") == 3600.0
    assert retry_after("soon") is None
    assert retry_after(None) is None


def test_no_server_is_no_crash_and_no_secret(config):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    reply = Sender(url, TOKEN, config).post("facts", {})
    assert (reply.action, reply.status) == (http.RETRY, 0)
    assert reply.sentence
    assert "s3cr3t" not in reply.sentence


def test_a_server_that_hangs_is_given_up(config):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        quick = config._replace(read_timeout_seconds=0.2)
        reply = Sender(url, TOKEN, quick).post("facts", {})
    assert (reply.action, reply.status) == (http.RETRY, 0)


def test_one_connection_serves_many_requests(sender, portal):
    for _ in range(3):
        sender.post("facts", {})
    assert len(portal.clients) == 1
