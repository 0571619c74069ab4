"""What stands on a real host read back: compared, told once, kept sealed, shown without secrets, on a schedule and by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset.errors import Conflict, Forbidden
from adminset.models import AuditEntry
from appconf.config.versions import add_version
from appconf.models import ConfigFile, Environment
from delivery.configs import sweeping
from delivery.configs.comparing import comparison
from delivery.configs.ending import run_ended
from delivery.configs.reading import request_read
from delivery.models import ConfigDrift, ConfigPush
from tasks.models import RunHost
from tasks.services.execute import execute_run
from tests.appconf.config_things import make_variable
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120)]
New = Callable[..., ConfigFile]
Act = Callable[..., ConfigPush]
SECRET = "s3cret-word"
LINES = "-----BEGIN KEY-----\nfirst-line-of-it\nsecond-line\n-----END KEY-----"


def _drift() -> ConfigDrift:
    return ConfigDrift.objects.select_related(
        "version", "environment__project", "host", "file"
    ).get()


def _shown(drift: ConfigDrift) -> list[str]:
    diff, why = comparison(drift)
    assert diff is not None, why
    return [f"{line.sign}{line.text}" for line in diff.lines if line.kind != "fold"]


def test_a_change_by_hand_is_found_told_once_and_shown_without_secrets(
    environment: Environment, new_file: New, push: Act, read: Act, etc: Path
) -> None:
    make_variable(environment, "KEY", secret=SECRET)
    make_variable(environment, "PEM", secret=LINES)
    new_file("key=${KEY}\nport=80\n${PEM}\n")
    push()
    assert read().status == "ok"
    assert _drift().state == "same"
    file = etc / "app.conf"
    file.write_text(file.read_text().replace("port=80", f"port=81 {SECRET} x"))
    file.chmod(0o600)
    assert read().status == "ok"
    drift = _drift()
    assert (drift.state, drift.found_mode) == ("drifted", "600")
    assert drift.found_changed_at is not None
    assert abs((timezone.now() - drift.found_changed_at).total_seconds()) < 120
    shown = _shown(drift)
    assert "-port=80" in shown
    assert "+port=81 •••• x" in shown
    assert "s3cret" not in str(shown)
    assert drift.found is not None
    kept = drift.found.reveal()
    assert SECRET not in kept
    assert "second-line" not in kept
    assert "s3cret" not in drift.found.sealed
    assert list(RunHost.objects.values_list("report", flat=True))[-1] == {}
    read()
    told = AuditEntry.objects.filter(verb="configdrift.drift")
    assert told.count() == 1
    assert "who changed it is not known" in told.get().reason


def test_a_new_version_that_was_not_pushed_is_drift_until_it_is(
    admin: User, new_file: New, push: Act, read: Act
) -> None:
    file = new_file("a\n")
    push()
    add_version(actor=admin, file=file, text="b\n")
    read()
    assert _drift().state == "drifted"
    assert _shown(_drift()) == ["-b", "+a"]
    push()
    assert _drift().state == "same"


def test_a_file_that_is_gone_or_something_else_is_said(
    new_file: New, push: Act, read: Act, etc: Path
) -> None:
    new_file("a\n")
    push()
    (etc / "app.conf").unlink()
    read()
    assert _drift().state == "missing"
    assert "-a" in _shown(_drift())
    (etc / "app.conf").symlink_to("/etc/passwd")
    read()
    drift = _drift()
    assert (drift.state, drift.found) == ("unreadable", None)
    assert "symbolic link" in drift.explanation


def test_only_a_secret_that_differs_is_told_without_showing_either(
    environment: Environment, new_file: New, push: Act, read: Act, etc: Path
) -> None:
    key = make_variable(environment, "KEY", secret=SECRET)
    new_file("key=${KEY}\n")
    push()
    key.secret = "another-word"
    key.save()
    read()
    assert _drift().state == "drifted"
    # The former secret stands there still: it is known until the next push, and shown to nobody.
    diff, why = comparison(_drift())
    assert diff is None
    assert "not shown differs" in why
    assert SECRET not in str(_drift().found.reveal())  # type: ignore[union-attr]
    (etc / "app.conf").write_text("key=by-hand-word")
    read()
    assert "+key=•••• (another one)" in _shown(_drift())
    assert "by-hand" not in str(_shown(_drift()))
    (etc / "app.conf").write_text("key=another-word")
    read()
    diff, why = comparison(_drift())
    assert diff is None
    assert "not shown differs" in why


def test_what_is_no_text_or_too_long_does_no_harm(
    new_file: New, push: Act, read: Act, etc: Path, settings: Any
) -> None:
    new_file("a\n")
    push()
    (etc / "app.conf").write_bytes(bytes(range(256)) * 40)
    read()
    assert _drift().state == "drifted"
    comparison(_drift())
    settings.CONFIG_READ_BYTES = 1024
    read()
    drift = _drift()
    assert (drift.state, drift.found) == ("drifted", None)
    assert "too long" in drift.explanation


def test_a_host_that_does_not_answer_changes_nothing_that_is_known(
    new_file: New, push: Act, read: Act, host: Any
) -> None:
    new_file("a\n")
    push()
    before = _drift().read_at
    host.ssh_port = 9
    host.save()
    done = read()
    assert (done.status, done.hosts.get().status) == ("failed", "unreachable")
    assert (_drift().state, _drift().read_at) == ("same", before)


def _late() -> None:
    ConfigDrift.objects.update(read_at=timezone.now() - timedelta(hours=2))
    old = timezone.now() - timedelta(hours=1)
    ConfigPush.objects.update(created_at=old)


def test_files_are_read_back_when_their_time_has_come_and_not_before(
    new_file: New, push: Act, etc: Path
) -> None:
    new_file("a\n", drift_minutes=60)
    assert sweeping.sweep() == []
    push()
    assert sweeping.sweep() == []
    _late()
    (etc / "app.conf").write_text("b\n")
    (begun,) = sweeping.sweep()
    reading = ConfigPush.objects.get(pk=begun)
    assert (reading.kind, reading.requested_by) == ("read", None)
    assert sweeping.sweep() == []
    execute_run(pk=reading.run_id, worker="test")
    run_ended(reading.run_id)
    assert _drift().state == "drifted"
    _late()
    ConfigFile.objects.update(drift_minutes=0)
    assert sweeping.sweep() == []


def test_a_push_whose_end_nobody_told_is_settled_by_the_sweep(
    admin: User, environment: Environment, new_file: New, push: Act
) -> None:
    new_file("a\n")
    push()
    reading = request_read(actor=admin, environment=environment)
    execute_run(pk=reading.run_id, worker="test")
    reading.refresh_from_db()
    assert reading.status == "running"
    sweeping.sweep()
    reading.refresh_from_db()
    assert reading.status == "ok"


def test_who_may_not_deploy_reads_nothing_and_nothing_is_read_where_nothing_is(
    admin: User, environment: Environment, new_file: New
) -> None:
    with pytest.raises(Conflict):
        request_read(actor=admin, environment=environment)
    new_file("a\n")
    with pytest.raises(Forbidden):
        request_read(actor=make_user(), environment=environment)
    assert not ConfigPush.objects.exists()
