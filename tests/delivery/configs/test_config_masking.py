"""What is read back and shown: only where a push put it, without former secrets, without values that the reader may not see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset.errors import Conflict
from appconf.config.versions import add_version
from appconf.models import ConfigFile, Environment
from delivery.configs import sweeping
from delivery.configs.comparing import comparison
from delivery.configs.pending import pending_of
from delivery.configs.planning import make_plan
from delivery.models import ConfigDrift, ConfigPush, ConfigPushHost, DeployLock
from delivery.safety import locks
from tests.app_factories import grant_on
from tests.appconf.config_things import make_variable
from tests.delivery.configs.push_things import ask, done
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120)]
New = Callable[..., ConfigFile]
Act = Callable[..., ConfigPush]
PEM = "-----BEGIN KEY-----\nfirst-line-of-it\nsecond-line\n-----END KEY-----"


def _drift() -> ConfigDrift:
    return ConfigDrift.objects.select_related(
        "version", "environment__project", "host", "file"
    ).get()


def _late() -> None:
    ConfigDrift.objects.update(read_at=timezone.now() - timedelta(hours=2))
    ConfigPush.objects.update(created_at=timezone.now() - timedelta(hours=1))


def test_a_path_that_was_changed_is_read_by_nobody_before_its_push(
    environment: Environment, new_file: New, push: Act, read: Act, etc: Path, host: Any
) -> None:
    file = new_file("a\n")
    (etc / "shadow").write_text("root:hash\n")
    push()
    assert _drift().path == str(etc / "app.conf")
    ConfigFile.objects.filter(pk=file.pk).update(path="shadow", drift_minutes=1)
    _late()
    assert sweeping.sweep() == []
    # By hand it is said that it differs: no more.
    read()
    drift = _drift()
    assert (drift.state, drift.found) == ("drifted", None)
    assert "No push has put it there yet" in drift.explanation
    assert pending_of(environment, [host.pk]).hosts
    push()
    assert _drift().path == str(etc / "shadow")
    (etc / "shadow").write_text("b\n")
    read()
    assert _drift().found.reveal() == "b\n"  # type: ignore[union-attr]


def test_a_folder_that_was_changed_is_read_by_nobody_before_its_push(
    environment: Environment, new_file: New, push: Act, tmp_path: Path
) -> None:
    new_file("a\n")
    push()
    environment.config_path = str(tmp_path)
    environment.save()
    _late()
    assert sweeping.sweep() == []


@pytest.mark.parametrize("former", ["former-word", PEM])
def test_a_secret_that_was_changed_stays_masked_until_the_next_push(
    environment: Environment,
    new_file: New,
    push: Act,
    read: Act,
    etc: Path,
    former: str,
) -> None:
    key = make_variable(environment, "KEY", secret=former)
    new_file("${KEY}\nport=80\n")
    push()
    assert ConfigPushHost.objects.exclude(secrets=None).count() == 0
    key.secret = "another-word"
    key.save()
    (etc / "app.conf").write_text(f"{former}\nport=81\n")
    read()
    drift = _drift()
    told = str(comparison(drift)) + drift.found.reveal()  # type: ignore[union-attr]
    assert not any(line in told for line in former.splitlines())
    assert "port=81" in drift.found.reveal()  # type: ignore[union-attr]
    push()
    assert former not in str(_drift().secrets.reveal())  # type: ignore[union-attr]


def test_a_secret_of_a_push_that_nobody_heard_of_is_masked_too(
    admin: User, environment: Environment, new_file: New, push: Act
) -> None:
    key = make_variable(environment, "KEY", secret="first-word")
    new_file("${KEY}\n")
    push()
    key.secret = "second-word"
    key.save()
    plan = make_plan(admin, environment)
    lost = ask(admin, environment, plan)
    assert lost.run is not None
    lost.run.hosts.update(status="failed")
    type(lost.run).objects.filter(pk=lost.run_id).update(status="failed")
    sweeping.sweep()
    sealed = _drift().secrets
    assert sealed is not None
    assert "first-word" in sealed.reveal()
    assert "second-word" in sealed.reveal()


def test_another_secret_of_several_lines_is_not_shown(
    environment: Environment, new_file: New, push: Act, read: Act, etc: Path
) -> None:
    make_variable(environment, "PEM", secret=PEM)
    new_file("port=80\n${PEM}\n")
    push()
    other = PEM.replace("first-line-of-it", "by-hand").replace("second-line", "other")
    (etc / "app.conf").write_text(f"port=80\n{other}\n")
    read()
    diff, why = comparison(_drift())
    assert diff is None
    assert "A secret differs" in why


def test_a_secret_whose_place_is_not_to_be_found_is_not_shown(
    environment: Environment, new_file: New, push: Act, read: Act, etc: Path
) -> None:
    make_variable(environment, "KEY", secret="s3cret-word")
    new_file("port=80\nroot:${KEY}\n")
    push()
    (etc / "app.conf").write_text("port=81\nadmin:by-hand\n")
    read()
    assert comparison(_drift())[0] is None
    (etc / "app.conf").write_text("port=81\nroot:by-hand\n")
    read()
    diff, why = comparison(_drift())
    assert diff is not None, why
    assert "by-hand" not in str(diff.lines)


def test_who_may_not_see_a_variable_sees_no_comparison_with_its_value(
    admin: User,
    environment: Environment,
    new_file: New,
    push: Act,
    read: Act,
    etc: Path,
    client_of: Any,
    host: Any,
) -> None:
    make_variable(host, "PLACE", "not-for-all")
    new_file("place=${PLACE}\n")
    push()
    (etc / "app.conf").write_text("place=not-for-all\nx\n")
    read()
    own = f"/delivery/config-drifts/{_drift().pk}/?tab=difference"
    assert b"not-for-all" in client_of(admin).get(own).content
    reader = make_user("reader")
    rights = ["delivery.view_configdrift", "appconf.view_variable"]
    grant_on(
        reader,
        [*rights, "appconf.view_environment", "appconf.view_configfile"],
        environment.project,
    )
    grant_on(reader, ["cmdb.view_host"], host)
    shown = client_of(reader).get(own)
    assert shown.status_code == 200
    assert b"not-for-all" not in shown.content
    assert b"that you may not see" in shown.content


def test_a_push_holds_the_environment_while_it_runs(
    admin: User,
    environment: Environment,
    new_file: New,
    monkeypatch: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    called: list[int] = []
    monkeypatch.setattr(locks, "after_free", [called.append])
    new_file("a\n")
    plan = make_plan(admin, environment)
    asked = ask(admin, environment, plan)
    held = DeployLock.objects.get()
    assert (held, held.environment) == (asked.lock, environment)
    assert f"Push of configuration {asked.pk}" in held.reason
    with pytest.raises(Conflict):
        locks.ensure_free(environment)
    with django_capture_on_commit_callbacks(execute=True):
        done(asked)
    assert not DeployLock.objects.exists()
    asked.refresh_from_db()
    assert asked.lock_id is None
    # Deploys that wait for it are called.
    assert called == [environment.pk]


def test_a_reading_holds_nothing(
    admin: User, environment: Environment, new_file: New, push: Act, read: Act
) -> None:
    file = new_file("a\n")
    push()
    add_version(actor=admin, file=file, text="b\n")
    assert read().lock_id is None
    assert not DeployLock.objects.exists()
