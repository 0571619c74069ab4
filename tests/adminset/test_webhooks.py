"""Web-hooks: what is told to whom, against a real receiver that speaks TLS on loopback."""

import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset import audit, tasks, webhook_outbox, webhook_sending
from adminset.audit import SystemActor
from adminset.models import AuditEntry, WebHook, WebHookDelivery
from cmdb.models import Credential, Host
from tests.certificates import make_authority, make_certificate
from tests.factories import make_host, make_idc

pytestmark = pytest.mark.django_db
SECRET = "a secret of the receiver's"
PORTAL = SystemActor("test")
State = WebHookDelivery.State
Make = Callable[..., WebHook]


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server: Any = self.server
        server.got.append((dict(self.headers), body))
        server.paths.append(self.path)
        status = server.answers.pop(0) if server.answers else 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(server.says)))
        self.end_headers()
        self.wfile.write(server.says)

    def log_message(self, *args: Any) -> None:
        """Stay quiet."""


@pytest.fixture
def receiver(settings: Any, tmp_path: Path) -> Iterator[Any]:
    """Listens on loopback, keeps what it gets, answers with the statuses of `answers` and the body `says`."""
    authority = make_authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*make_certificate(authority, "localhost"))
    server: Any = HTTPServer(("127.0.0.1", 0), _Receiver)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.got, server.paths, server.answers, server.says = [], [], [], b""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.OUTBOUND_CA_FILE = str(authority.certificate_file)
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _look_at_web_hooks(
    monkeypatch: pytest.MonkeyPatch, _no_web_hooks: None
) -> Iterator[None]:
    monkeypatch.setattr(webhook_outbox, "_kept", None)
    yield
    webhook_outbox.forget()


@pytest.fixture
def make(receiver: Any) -> Make:
    """Make a web-hook that leads to the receiver."""

    def made(**values: Any) -> WebHook:
        hook = WebHook.objects.create(
            **{
                "name": "chat",
                "url": f"https://localhost:{receiver.server_port}/hook?key=hush",
                "secret": SECRET,
                "kinds": ["cmdb.host"],
                "verbs": ["create", "update", "delete"],
                **values,
            }
        )
        webhook_outbox.forget()
        return hook

    return made


def _change(host: Host, verb: str = "host.update") -> None:
    changes = [{"field": "owner", "old": "", "new": "Zhang Wei"}]
    audit.record(PORTAL, verb, host, changes=changes)


def _due_again(hook: WebHook) -> None:
    """Let the pauses be over."""
    past = timezone.now() - timedelta(seconds=1)
    WebHook.objects.filter(pk=hook.pk).update(paused_until=past)
    hook.deliveries.filter(state=State.WAITING).update(next_at=past)


def test_a_change_is_told_signed(make: Make, receiver: Any) -> None:
    hook, host = make(), make_host("web-1")
    _change(host)
    assert webhook_sending.send_due(hook.pk) == 1
    ((headers, body),) = receiver.got
    time, _comma, signature = headers["X-AdminSet-Signature"].partition(",")
    signed = f"{time.removeprefix('t=')}.".encode() + body
    mine = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert signature == f"v1={mine}"
    delivery = hook.deliveries.get()
    assert headers["X-AdminSet-Delivery"] == str(delivery.key)
    assert headers["X-AdminSet-Event"] == "host.update"
    told = json.loads(body)
    assert told["object"] == {
        "type": "cmdb.host",
        "id": str(host.pk),
        "name": "web-1",
    }
    assert told["changes"] == [{"field": "owner", "old": "", "new": "Zhang Wei"}]
    assert (told["event"], told["what"]) == ("host.update", "update")
    assert told["actor"] == {"kind": "system", "name": "test"}
    assert (delivery.state, delivery.tries, delivery.status) == ("sent", 1, 200)
    assert delivery.duration_ms is not None
    assert delivery.error == ""


def test_only_the_chosen_kinds_and_verbs_are_told(make: Make, receiver: Any) -> None:
    hook = make(verbs=["delete"])
    _change(make_host())
    audit.record(PORTAL, "idc.delete", make_idc())
    audit.record(PORTAL, "host.export", Host)
    assert not hook.deliveries.exists()
    host = make_host()
    audit.record(PORTAL, "host.delete", host)
    assert hook.deliveries.get().event == "host.delete"


@pytest.mark.parametrize(
    ("verb", "changes", "what"),
    [
        ("host.create", [], "create"),
        ("host.discover", [{"field": "x", "old": 1, "new": 2}], "create"),
        ("host.report", [{"field": "x", "old": 1, "new": 2}], "update"),
        ("host.revert", [{"field": "id", "old": None, "new": 7}], "create"),
        ("host.revert", [{"field": "id", "old": 7, "new": None}], "delete"),
        ("host.accept_key", [], "other"),
    ],
)
def test_each_line_of_the_trail_is_one_of_four_things(
    verb: str, changes: list[dict[str, Any]], what: str
) -> None:
    entry = AuditEntry(verb=verb, changes=changes, target_id="1")
    assert webhook_outbox.what(entry) == what


def test_what_did_not_happen_is_not_told(
    client_of: Any, admin: User, make: Make
) -> None:
    hook = make()
    client_of(admin).post("/cmdb/hosts/add/", {"hostname": ""})
    assert not hook.deliveries.exists()


def test_no_secret_is_told(
    client_of: Any, admin: User, make: Make, receiver: Any
) -> None:
    hook = make(kinds=["cmdb.credential"])
    client = client_of(admin)
    sent = {"name": "root", "username": "root", "port": 22, "password": "hush-hush-1"}
    assert client.post("/cmdb/credentials/add/", sent).status_code == 302
    row = Credential.objects.get()
    again = sent | {"password": "hush-hush-2"}
    client.post(f"/cmdb/credentials/{row.pk}/edit/", again)
    webhook_sending.send_due(hook.pk)
    bodies = b"".join(body for _headers, body in receiver.got)
    assert len(receiver.got) == 2
    assert b"hush-hush" not in bodies
    assert b'"password"' in bodies


def test_a_failure_is_tried_again_after_a_growing_pause(
    make: Make, receiver: Any
) -> None:
    hook = make()
    receiver.answers[:] = [500, 503]
    _change(make_host())
    for tries in (1, 2):
        assert webhook_sending.send_due(hook.pk) == 0
        delivery = hook.deliveries.get()
        assert (delivery.state, delivery.tries) == ("waiting", tries)
        assert delivery.next_at > timezone.now() + timedelta(seconds=5 * tries)
        # Nothing is sent while the pause lasts.
        assert webhook_sending.send_due(hook.pk) == 0
        assert hook.pk not in webhook_sending.due_hooks()
        assert len(receiver.got) == tries
        _due_again(hook)
    assert webhook_sending.due_hooks() == [hook.pk]
    assert webhook_sending.send_due(hook.pk) == 1
    hook.refresh_from_db()
    assert (hook.failures, hook.paused_until) == (0, None)
    # The same message: whoever got it twice can tell by its id.
    assert len({headers["X-AdminSet-Delivery"] for headers, _body in receiver.got}) == 1


def test_pauses_double_up_to_an_hour_and_differ() -> None:
    for failures, seconds in ((1, 10), (2, 20), (5, 160), (30, 3600)):
        found = {webhook_sending.pause(failures).total_seconds() for _ in range(20)}
        assert len(found) > 1
        assert all(seconds * 0.66 < each < seconds * 1.34 for each in found)


def test_a_message_is_given_up_and_the_next_one_goes_on(
    make: Make, receiver: Any, settings: Any
) -> None:
    settings.WEBHOOK_TRIES = 2
    hook = make()
    receiver.answers[:] = [400, 400]
    _change(make_host("one"))
    webhook_sending.send_due(hook.pk)
    _due_again(hook)
    webhook_sending.send_due(hook.pk)
    first = hook.deliveries.get()
    assert (first.state, first.status) == ("failed", 400)
    assert "400" in first.error
    _change(make_host("two"))
    _due_again(hook)
    assert webhook_sending.send_due(hook.pk) == 1


def test_a_web_hook_that_always_fails_is_switched_off_and_that_is_recorded(
    make: Make, receiver: Any, settings: Any
) -> None:
    settings.WEBHOOK_MAX_FAILURES = 3
    hook = make()
    receiver.answers[:] = [500] * 9
    _change(make_host())
    for _ in range(5):
        webhook_sending.send_due(hook.pk)
        _due_again(hook)
    hook.refresh_from_db()
    assert not hook.active
    assert len(receiver.got) == 3
    entry = AuditEntry.objects.get(verb="webhook.disable")
    assert entry.changes == [{"field": "active", "old": True, "new": False}]
    webhook_outbox.forget()
    _change(make_host())
    assert hook.deliveries.count() == 1


def test_the_portals_own_networks_are_out_of_reach(
    make: Make, receiver: Any, settings: Any
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    hook = make()
    _change(make_host())
    webhook_sending.send_due(hook.pk)
    assert receiver.got == []
    error = hook.deliveries.get().error
    assert "127.0.0.1" in error
    assert "hush" not in error


def test_without_tls_or_with_a_strange_certificate_nothing_is_sent(
    make: Make, receiver: Any, settings: Any
) -> None:
    settings.OUTBOUND_CA_FILE = ""
    hook = make()
    _change(make_host())
    webhook_sending.send_due(hook.pk)
    WebHook.objects.update(url=hook.url.replace("https", "http"))
    _due_again(hook)
    webhook_sending.send_due(hook.pk)
    assert receiver.got == []
    assert "https" in hook.deliveries.get().error


def test_two_workers_send_a_message_once(make: Make, receiver: Any) -> None:
    hook = make()
    _change(make_host())
    delivery = hook.deliveries.get()
    assert webhook_sending._claim(delivery)
    assert not webhook_sending._claim(delivery)
    assert webhook_sending.send_due(hook.pk) == 0


def test_the_schedule_sends_what_no_worker_was_called_for(
    make: Make, receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = make()
    _change(make_host())
    called: list[int] = []
    monkeypatch.setattr(tasks.send_webhook, "delay", called.append)
    tasks.send_webhooks()
    assert called == [hook.pk]
    tasks.send_webhook(hook.pk)
    assert len(receiver.got) == 1


def test_old_messages_are_forgotten(make: Make) -> None:
    hook = make()
    _change(make_host())
    old = timezone.now() - timedelta(days=31)
    hook.deliveries.update(created_at=old)
    assert webhook_sending.purge() == 1


def test_a_message_stays_bounded() -> None:
    changes = [{"field": "facts", "old": None, "new": "x" * 300_000}]
    entry = AuditEntry(verb="host.report", changes=changes, at=timezone.now())
    told = json.loads(webhook_outbox.body_of(entry))
    assert (told["changes"], told["changes_left_out"]) == ([], 1)


def test_a_committed_change_calls_a_worker_once(
    make: Make, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    hook = make()
    called: list[Any] = []
    monkeypatch.setattr(
        webhook_outbox.current_app, "send_task", lambda *given: called.append(given)
    )
    with django_capture_on_commit_callbacks(execute=True):
        _change(make_host())
        _change(make_host())
    assert called == [("adminset.send_webhook", [hook.pk])]
