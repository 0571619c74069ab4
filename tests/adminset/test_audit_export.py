"""The audit trail on its way to a SIEM: formats, the command, and real syslog receivers that are slow, away or gone mid-way."""

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from adminset import audit, audit_chain, audit_export, audit_forward, tasks
from adminset.audit_verify import Witness
from adminset.models import AuditEntry
from tests.adminset.audit_lines import row, sql, told, write
from tests.certificates import make_authority, make_certificate

pytestmark = pytest.mark.django_db
MESSAGE = re.compile(
    r"<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (\S+) adminset - (\S+) \[audit@32473 ((?:[^\]\\]|\\.)*)\] \ufeff(.*)",
    re.DOTALL,
)


class Receiver:
    """A syslog server for TCP: takes connections one by one and keeps what they send."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.context = context
        self.heard: list[bytes] = []
        self.hang_up = False
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, _address = self._socket.accept()
            except OSError:
                return
            with caller:
                self._listen(caller)

    def _listen(self, caller: socket.socket) -> None:
        try:
            if self.context:
                caller = self.context.wrap_socket(caller, server_side=True)
            if self.hang_up:
                # Closing with unread bytes resets the connection, as a server that dies does.
                caller.recv(1)
                caller.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
                )
                caller.close()
                return
            data = b""
            while part := caller.recv(65536):
                data += part
            self.heard.append(data)
            caller.close()
        except OSError:
            return

    def messages(self) -> list[str]:
        """Take what was heard apart (RFC 6587, counted)."""
        found, rest = [], b"".join(self.heard)
        while rest:
            length, _, rest = rest.partition(b" ")
            found.append(rest[: int(length)].decode())
            rest = rest[int(length) :]
        return found

    def stop(self) -> None:
        """Close."""
        self._socket.close()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """A receiver that the portal forwards to."""
    server = Receiver()
    settings.AUDIT_SYSLOG = f"tcp://127.0.0.1:{server.port}"
    yield server
    server.stop()


def parsed(message: str) -> tuple[str, dict[str, Any]]:
    """Give (priority, the line) of a message."""
    found = MESSAGE.fullmatch(message)
    assert found, message
    return found[1], json.loads(found[6])


def test_a_message_says_who_what_and_the_whole_line() -> None:
    pk = write(1, "access.refused", reason='"]\\ \n<b>')[0]
    text = audit_export.as_syslog(AuditEntry.objects.get(pk=pk)).decode()
    priority, line = parsed(text)
    assert priority == "108", "facility log audit, severity warning"
    assert (line["id"], line["position"], line["reason"]) == (pk, 1, '"]\\ \n<b>')
    assert 'verb="access.refused"' in text
    assert "\n" not in text


def test_hostile_names_cannot_break_out_of_a_message() -> None:
    actor = audit.SystemActor('x" verb="forged"]\n<13>1 forged')
    audit.record(actor, "host.update")
    audit_chain.seal_pending()
    text = audit_export.as_syslog(AuditEntry.objects.get()).decode()
    assert parsed(text)[0] == "110"
    assert r"actor=\"x" not in text
    assert r'actor="x\" verb=\"forged\"\] <13>1 forged"' in text


def test_a_line_too_long_for_receivers_leaves_its_changes_out() -> None:
    change = {"field": "notes", "old": "", "new": "x" * 20_000}
    pk = write(changes=[change])[0]
    message = audit_export.as_syslog(AuditEntry.objects.get(pk=pk))
    assert len(message) < audit_export.MESSAGE_BYTES
    assert parsed(message.decode())[1]["changes_left_out"] == 1


def test_new_lines_are_forwarded_once_and_in_order(receiver: Receiver) -> None:
    ids = write(3)
    tasks.forward_audit()
    assert [parsed(each)[1]["id"] for each in receiver.messages()] == ids
    ids += write(2)
    assert audit_forward.forward() == 2
    assert audit_forward.forward() == 0
    assert [parsed(each)[1]["id"] for each in receiver.messages()] == ids


def test_nothing_is_lost_while_the_receiver_is_away(
    receiver: Receiver, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ids = write(2)
    there, settings.AUDIT_SYSLOG = settings.AUDIT_SYSLOG, "tcp://127.0.0.1:1"
    tasks.forward_audit()
    assert "wait for the syslog receiver" in caplog.text
    settings.AUDIT_SYSLOG = there
    receiver.hang_up = True
    with pytest.raises(OSError):  # noqa: PT011 - reset, or a broken pipe
        audit_forward.forward()
    receiver.hang_up = False
    assert audit_forward.forward() == 2
    assert [parsed(each)[1]["id"] for each in receiver.messages()] == ids


def test_a_forged_line_is_never_forwarded(receiver: Receiver) -> None:
    forged = AuditEntry(actor_kind="user", actor_name="admin", verb="x.y", mac="0" * 64)
    AuditEntry._base_manager.bulk_create([forged])
    ids = write(1)
    audit_forward.forward()
    assert [parsed(each)[1]["id"] for each in receiver.messages()] == ids


def test_what_the_receiver_had_is_a_witness_against_a_cut_tail(
    receiver: Receiver,
) -> None:
    ids = write(4)
    audit_forward.forward()
    (cursor,) = audit_forward.witness()
    assert cursor == Witness(4, row(ids[3])["seal"], "The SIEM's cursor")
    sql("DELETE FROM adminset_auditentry WHERE id = %s", ids[3])
    sql("UPDATE adminset_auditchain SET position = 3, seal = %s", row(ids[2])["seal"])
    assert told(cursor) == [("cut", 4)]


def test_lines_go_over_tls_to_a_receiver_that_proves_its_name(
    settings: Any, tmp_path: Path
) -> None:
    authority = make_authority(tmp_path)
    chain, key = make_certificate(authority, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, key)
    server = Receiver(context)
    settings.AUDIT_SYSLOG = f"tls://localhost:{server.port}"
    ids = write(2)
    with pytest.raises(ssl.SSLError):
        audit_forward.forward()
    settings.OUTBOUND_CA_FILE = str(authority.certificate_file)
    assert audit_forward.forward() == 2
    assert [parsed(each)[1]["id"] for each in server.messages()] == ids
    server.stop()


def test_lines_go_by_datagram_too(settings: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("127.0.0.1", 0))
        heard.settimeout(5)
        settings.AUDIT_SYSLOG = f"udp://127.0.0.1:{heard.getsockname()[1]}"
        ids = write(2)
        audit_forward.forward()
        got = [parsed(heard.recv(65536).decode())[1]["id"] for _number in ids]
    assert got == ids


@pytest.mark.parametrize("wrong", ["siem", "http://h:1", "tcp://h", "udp://h:x"])
def test_an_address_that_is_none_says_what_is_wanted(settings: Any, wrong: str) -> None:
    settings.AUDIT_SYSLOG = wrong
    with pytest.raises(ImproperlyConfigured, match="wanted: udp://host:port"):
        audit_forward.receiver()


def test_the_command_writes_json_lines_behind_a_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ids = write(4)
    call_command("export_audit", "--since", "2")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["id"] for line in lines] == ids[2:]
    assert lines[0]["changes"] == [{"field": "owner", "old": "Ann", "new": "Li Wei"}]
    told_of = AuditEntry.objects.get(verb="auditentry.export")
    assert told_of.actor_name == "manage.py export_audit"


def test_the_command_writes_syslog_too(capsys: pytest.CaptureFixture[str]) -> None:
    ids = write(2)
    call_command("export_audit", "--format", "syslog")
    lines = capsys.readouterr().out.splitlines()
    assert [parsed(line)[1]["id"] for line in lines] == ids


def test_the_command_follows_until_it_is_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = iter([lambda: write(2), lambda: None])

    def wait(_seconds: float) -> None:
        try:
            next(waits)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("adminset.management.commands.export_audit.time.sleep", wait)
    monkeypatch.setattr(
        "adminset.management.commands.export_audit.close_old_connections", list
    )
    write(1)
    call_command("export_audit", "--follow")
    assert len(capsys.readouterr().out.splitlines()) == 4
