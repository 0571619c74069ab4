"""Files of configuration on a real host: put in place whole or not at all, validated, reloaded once, and said as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Conflict, Forbidden
from adminset.models import AuditEntry
from appconf.config.versions import add_version
from appconf.models import ConfigFile, Environment
from delivery.configs.planning import make_plan
from delivery.models import ConfigDrift, ConfigPush
from delivery.safety.locks import take_lock
from tasks.models import Run
from tests.app_factories import grant_on
from tests.appconf.config_things import make_variable
from tests.delivery.configs.push_things import ask, done, names_in
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120)]
New = Callable[..., ConfigFile]
Push = Callable[..., ConfigPush]
OWN = ".adminset-config"


def _mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o7777:04o}"


def _left(folder: Path) -> list[str]:
    return [name for name in names_in(folder) if "adminset" in name]


def test_files_come_filled_in_with_mode_and_backup_and_the_second_time_nothing_happens(
    environment: Environment, new_file: New, push: Push, etc: Path
) -> None:
    make_variable(environment, "PORT", "80")
    make_variable(environment, "KEY", secret="s3cret-word")
    new_file("port=${PORT}\nkey=${KEY}\nhost=${ADMINSET_HOSTNAME}\n", mode="0640")
    (etc / "app.conf").write_text("old\n")
    (etc / "app.conf").chmod(0o600)
    first = push(reason="first")
    row = first.hosts.get()
    assert (first.status, row.status) == ("ok", "ok"), row.explanation
    file = etc / "app.conf"
    assert file.read_text() == "port=80\nkey=s3cret-word\nhost=web1\n"
    assert _mode(file) == "0640"
    assert _left(etc) == [OWN]
    assert _mode(etc / OWN) == "0700"
    (former,) = (etc / OWN).iterdir()
    assert former.name.startswith("app.conf.20")
    assert former.read_text() == "old\n"
    assert _mode(former) == "0600"
    inode = file.stat().st_ino
    second = push()
    assert second.hosts.get().status == "unchanged"
    assert file.stat().st_ino == inode
    lines = AuditEntry.objects.filter(verb__startswith="configpush.").order_by("pk")
    assert [line.verb for line in lines][:2] == [
        "configpush.start",
        "configpush.finish",
    ]
    assert lines[0].reason == "first"
    assert "s3cret" not in str([line.changes for line in lines])
    assert ConfigDrift.objects.get().state == "same"


def test_secrets_lie_sealed_and_show_up_nowhere(
    environment: Environment, new_file: New, push: Push, settings: Any
) -> None:
    make_variable(environment, "KEY", secret="s3cret-word")
    new_file("key=${KEY}\n", validate_command="cat {}; cat {} >&2; false")
    asked = push()
    run = Run.objects.get(pk=asked.run_id)
    row = run.hosts.get()
    told = str([run.leg.values, run.leg.host_values, row.report, row.explanation])
    assert "s3cret" not in told
    output = "".join(
        path.read_text(errors="replace")
        for path in Path(settings.RUN_DIR).rglob("*")
        if path.is_file()
    )
    assert "••••" in output
    assert "s3cret" not in output
    assert asked.hosts.get().status == "failed"
    # Nothing of it is kept once it has ended, not even sealed.
    assert (run.sealed, run.leg.host_values) == (None, {})


def test_a_reload_command_runs_once_for_all_files_that_changed(
    new_file: New, push: Push, etc: Path
) -> None:
    count = f"echo x >>'{str(etc).replace(chr(39), chr(39) + chr(92) + chr(39) + chr(39))}/count'"
    for name in ("a.conf", "b.conf", "c.conf"):
        new_file(f"{name}\n", name, reload_command=count)
    assert push().status == "ok"
    assert (etc / "count").read_text() == "x\n"
    assert push().hosts.get().status == "unchanged"
    assert (etc / "count").read_text() == "x\n"
    assert _left(etc) == []


def test_a_reload_that_failed_is_said_and_comes_again_with_the_next_push(
    new_file: New, push: Push, etc: Path
) -> None:
    new_file("a\n", reload_command='test -e "$HOME/never-there-$$" || exit 3')
    first = push()
    row = first.hosts.get()
    assert (first.status, row.status) == ("failed", "failed")
    assert "reload" in row.explanation
    assert (etc / "app.conf").read_text() == "a\n"
    assert [name[:7] for name in names_in(etc / OWN)] == ["reload-"]
    assert push().status == "failed"
    ConfigFile.objects.update(reload_command="true")
    assert push().status == "ok"
    assert _left(etc) == []


def test_one_file_that_does_not_validate_keeps_all_as_they_were(
    new_file: New, push: Push, etc: Path
) -> None:
    good, bad = etc / "a.conf", etc / "b.conf"
    good.write_text("old\n")
    new_file("new\n", "a.conf", reload_command="touch reloaded")
    new_file("bad\n", "b.conf", validate_command="grep -q good {}")
    asked = push()
    row = asked.hosts.get()
    assert (asked.status, row.status) == ("failed", "failed")
    assert "validate command ended with exit code 1" in row.explanation
    assert good.read_text() == "old\n"
    assert not bad.exists()
    assert names_in(etc) == ["a.conf"]
    words = {one["word"] for one in row.files.values()}
    assert words == {"untouched", "failed"}


def test_a_link_a_folder_and_a_missing_folder_are_refused(
    new_file: New, push: Push, etc: Path
) -> None:
    victim = etc / "victim"
    victim.write_text("mine\n")
    (etc / "link.conf").symlink_to(victim)
    (etc / "dir.conf").mkdir()
    for name in ("link.conf", "dir.conf", "gone/app.conf"):
        new_file("evil\n", name)
    words = push().hosts.get().explanation
    assert "symbolic link" in words
    assert "something else than a file" in words
    assert "is not there" in words
    assert victim.read_text() == "mine\n"


def test_a_yes_holds_for_what_was_seen_only(
    admin: User, environment: Environment, new_file: New, etc: Path
) -> None:
    file = new_file("a=${A:-1}\n")
    seen = make_plan(admin, environment)

    def refused() -> None:
        with pytest.raises(Conflict) as conflict:
            ask(admin, environment, seen)
        assert conflict.value.code == "stale"

    make_variable(environment, "A", "2")
    refused()
    environment.project.variables.all().delete()
    seen = make_plan(admin, environment)
    ConfigFile.objects.update(reload_command="rm -rf /nowhere")
    refused()
    seen = make_plan(admin, environment)
    add_version(actor=admin, file=file, text="b\n")
    refused()
    assert not ConfigPush.objects.exists()
    assert names_in(etc) == []


def test_who_may_not_deploy_there_pushes_nothing(
    admin: User, environment: Environment, new_file: New
) -> None:
    new_file("a\n")
    plan = make_plan(admin, environment)
    person = make_user("person", perms=["appconf.view_configfile"])
    with pytest.raises(Forbidden):
        make_plan(person, environment)
    with pytest.raises(Forbidden):
        ask(person, environment, plan)
    grant_on(person, ["appconf.deploy_environment"], environment.project)
    assert make_plan(person, environment).hash == plan.hash
    assert not ConfigPush.objects.exists()


def test_a_locked_environment_and_a_push_that_goes_on_keep_others_out(
    admin: User, environment: Environment, new_file: New
) -> None:
    new_file("a\n")
    plan = make_plan(admin, environment)
    lock = take_lock(actor=admin, environment=environment, reason="hands off")
    with pytest.raises(Conflict) as locked:
        ask(admin, environment, plan)
    assert "hands off" in locked.value.message
    lock.delete()
    ask(admin, environment, plan)
    with pytest.raises(Conflict) as busy:
        ask(admin, environment, plan)
    assert busy.value.code == "busy"
    assert ConfigPush.objects.count() == 1


def test_a_host_that_left_the_environment_meanwhile_is_not_touched(
    admin: User, environment: Environment, new_file: New, etc: Path
) -> None:
    new_file("a\n")
    plan = make_plan(admin, environment)
    asked = ask(admin, environment, plan)
    environment.hosts.clear()
    assert done(asked).status == "failed"
    assert names_in(etc) == []


def test_nothing_that_waits_for_approval_reaches_a_host(
    admin: User, environment: Environment, new_file: New, push: Push, etc: Path
) -> None:
    file = new_file("old\n")
    ConfigFile.objects.update(approval=True)
    file.refresh_from_db()
    add_version(actor=admin, file=file, text="new\n")
    assert push().status == "ok"
    assert (etc / "app.conf").read_text() == "old\n"
