"""The commands of the audit trail: verify, anchor, and many processes that write at once on a real database file."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from adminset import audit_anchors, outbound, tasks
from adminset.errors import DomainError
from adminset.models import AuditEntry, PortalSwitch
from tests import template
from tests.adminset.audit_lines import row, sql, write

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.django_db


@pytest.fixture
def anchors(settings: Any, tmp_path: Path) -> Path:
    """The file that anchors go to."""
    settings.AUDIT_ANCHOR_FILE = str(tmp_path / "elsewhere" / "anchors.jsonl")
    settings.AUDIT_ANCHOR_URL = ""
    return Path(settings.AUDIT_ANCHOR_FILE)


def test_verify_names_what_is_wrong_and_exits_with_1(
    anchors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = write(5)
    sql("UPDATE adminset_auditentry SET reason = 'x' WHERE id = %s", ids[1])
    sql("DELETE FROM adminset_auditentry WHERE id = %s", ids[3])
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit")
    assert ended.value.code == 1
    told = capsys.readouterr().out
    assert f"Entry {ids[1]} (place 2, " in told
    assert "host.update) was changed after it was written." in told
    assert "Place 4 is empty" in told
    assert "NOT whole: 2 findings" in told


def test_verify_can_begin_later(
    anchors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = write(5)
    sql("UPDATE adminset_auditentry SET reason = 'x' WHERE id = %s", ids[0])
    call_command("verify_audit", "--from", "3")
    assert "is whole: 3 chained lines" in capsys.readouterr().out


def test_verify_with_lost_keys_says_so(
    anchors: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write(3)
    settings.AUDIT_KEYS = {"other": b"x" * 32}
    with pytest.raises(SystemExit):
        call_command("verify_audit")
    assert "was ADMINSET_AUDIT_KEYS changed?" in capsys.readouterr().out


def test_an_anchor_finds_a_cut_tail_that_the_kept_end_hides(
    anchors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = write(5)
    call_command("anchor_audit")
    assert anchors.stat().st_mode & 0o777 == 0o600
    kept = json.loads(anchors.read_text())
    assert (kept["position"], kept["seal"]) == (5, row(ids[4])["seal"])
    assert AuditEntry.objects.get(verb="audit.anchor").reason == "file"
    # The line about the anchor is not chained yet: it is the first to go.
    sql("DELETE FROM adminset_auditentry WHERE id >= %s", ids[4])
    sql("UPDATE adminset_auditchain SET position = 4, seal = %s", row(ids[3])["seal"])
    with pytest.raises(SystemExit):
        call_command("verify_audit")
    told = capsys.readouterr().out
    assert "The anchor of " in told
    assert "(line 1) says that the chain reached place 5; it ends at 4 now" in told
    with pytest.raises(CommandError, match="The chain reaches place 4"):
        call_command("verify_audit", "--from", "99")


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"position": 1}'])
def test_a_file_that_holds_no_anchors_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "anchors"
    file.write_text(text)
    with pytest.raises(CommandError, match=r"Line 1 of .* is no anchor"):
        call_command("verify_audit", "--anchors", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_audit", "--anchors", str(tmp_path / "missing"))


def test_anchors_are_written_once_a_day(anchors: Path) -> None:
    write(2)
    for _number in range(3):
        tasks.anchor_audit()
    assert len(anchors.read_text().splitlines()) == 1
    switch = PortalSwitch.objects.get(name=audit_anchors.SWITCH)
    switch.value = {"file": "2001-01-01T00:00:00+00:00"}
    switch.save()
    tasks.anchor_audit()
    assert len(anchors.read_text().splitlines()) == 2
    assert AuditEntry.objects.filter(verb="audit.anchor").count() == 2


def test_anchors_are_posted_and_a_receiver_that_is_away_gets_its_later(
    anchors: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUDIT_ANCHOR_URL = "https://anchors.example.com/secret-part"
    posted: list[Any] = []

    def away(url: str, payload: Any) -> None:
        raise DomainError("anchors.example.com could not be asked.")

    monkeypatch.setattr(outbound, "post_json", away)
    write(2)
    with pytest.raises(CommandError, match="could not be asked") as caught:
        call_command("anchor_audit")
    assert "secret-part" not in str(caught.value)
    assert audit_anchors.due() == ["url"]
    monkeypatch.setattr(outbound, "post_json", lambda *told: posted.append(told))
    tasks.anchor_audit()
    assert posted[0][0] == settings.AUDIT_ANCHOR_URL
    assert posted[0][1]["position"] == 3
    assert audit_anchors.due() == []
    assert "secret-part" not in str(list(AuditEntry.objects.values()))


def test_without_a_place_for_anchors_the_command_says_so(settings: Any) -> None:
    settings.AUDIT_ANCHOR_FILE = settings.AUDIT_ANCHOR_URL = ""
    with pytest.raises(CommandError, match="Set ADMINSET_AUDIT_ANCHOR_FILE"):
        call_command("anchor_audit")
    tasks.anchor_audit()
    assert not AuditEntry.objects.exists()


WRITER = """
import django
django.setup()
from django.db import transaction
from adminset import audit
for number in range(40):
    with transaction.atomic():
        audit.record(audit.SystemActor("writer"), "host.update")
"""


@pytest.mark.timeout(180)
def test_processes_that_write_at_once_neither_double_nor_skip(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "ADMINSET_DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'audit.sqlite3'}",
    }

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)

    def finish(process: subprocess.Popen[str]) -> str:
        told = process.communicate(timeout=120)[0]
        assert process.returncode == 0, told
        return told

    template.copy_to(tmp_path / "audit.sqlite3")
    writers = [start("-c", WRITER) for _number in range(3)]
    assert [finish(each) for each in writers] == ["", "", ""]
    told = finish(start("manage.py", "verify_audit"))
    assert "The audit trail is whole: 120 chained lines" in told
    assert "Note:" not in told, "the triggers of the migration are missing"
