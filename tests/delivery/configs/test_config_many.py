"""Pushes to many hosts: texts are filled in before anything is locked, by a worker where they are very many, and the end is kept in a few statements."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from adminset import calling
from adminset.models import AuditEntry
from appconf.config.versions import add_version
from appconf.models import ConfigFile, Environment
from delivery.configs import planning, preparing, sweeping
from delivery.configs.ending import settle
from delivery.configs.planning import make_plan
from delivery.configs.pushing import cancel_push
from delivery.configs.reading import request_read
from delivery.models import ConfigDrift, ConfigPush, DeployLock
from tasks.models import Run
from tests.app_factories import make_environment, make_project
from tests.appconf.config_things import make_file, make_variable
from tests.delivery.configs.push_things import ask, ended
from tests.factories import make_host

pytestmark = pytest.mark.django_db
Asked = Callable[[], ConfigPush]


def _environment(admin: User, count: int, files: int = 2) -> Environment:
    """An environment with so many hosts that nobody ever reaches, and one or two files."""
    hosts = [make_host(f"many{count}x{number}") for number in range(count)]
    project = make_project(f"many{count}", config_path="/etc/many")
    made = make_environment(project, "live", hosts=hosts, by=admin)
    make_variable(made, "KEY", secret="s3cret-word")
    make_file(admin, project, "key=${KEY}\n", "a.conf")
    if files > 1:
        make_file(admin, project, "b\n", "b.conf")
    return made


def _pushed(admin: User, environment: Environment) -> ConfigPush:
    plan = make_plan(admin, environment)
    return ask(admin, environment, plan)


@pytest.fixture
def environment(admin: User, settings: Any, tmp_path: Any) -> Environment:
    settings.RUN_DIR = tmp_path / "runs"
    return _environment(admin, 2)


@pytest.fixture
def asked(admin: User, environment: Environment, settings: Any) -> ConfigPush:
    """A push whose texts are too many to be filled in at once."""
    settings.CONFIG_PUSH_AT_ONCE = 3
    return _pushed(admin, environment)


def _queries_of_settling(push: ConfigPush, said: dict[str, str]) -> int:
    ended(push, said)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        settle(push.pk)
    push.refresh_from_db()
    assert push.status != "running"
    return len(seen)


def test_the_end_of_a_push_takes_as_many_queries_for_thirty_hosts_as_for_three(
    admin: User, settings: Any, tmp_path: Any
) -> None:
    settings.RUN_DIR = tmp_path / "runs"
    few, many = _environment(admin, 3, 1), _environment(admin, 30, 1)
    # New rows, known ones, and those of which only the secrets are kept.
    for said in ({"f0": "p"}, {"f0": "s"}, {"f0": "x why"}):
        counts = [
            _queries_of_settling(_pushed(admin, each), said) for each in (few, many)
        ]
        assert counts[0] == counts[1]
    reads = []
    for each in (few, many):
        reading = request_read(actor=admin, environment=each)
        reads.append(_queries_of_settling(reading, {"f0": "d"}))
    assert reads[0] == reads[1]
    assert ConfigDrift.objects.filter(state="drifted").count() == 33
    assert AuditEntry.objects.filter(verb="configdrift.drift").count() == 33
    kept = ConfigDrift.objects.first()
    assert kept is not None
    assert kept.secrets is not None
    assert "s3cret-word" in kept.secrets.reveal()


def test_texts_are_filled_in_before_anything_is_locked(
    admin: User, environment: Environment, monkeypatch: Any
) -> None:
    inside: list[int] = []
    real = planning.for_hosts

    def filled(*args: Any, **kwargs: Any) -> Any:
        # A test is a transaction itself; each one within it is a savepoint.
        inside.append(len(connection.savepoint_ids))
        return real(*args, **kwargs)

    monkeypatch.setattr(planning, "for_hosts", filled)
    monkeypatch.setattr(preparing, "for_hosts", filled)
    push = _pushed(admin, environment)
    settle(ended(push, {"f0": "p", "f1": "p"}).pk)
    request_read(actor=admin, environment=environment)
    assert inside == [0, 0, 0]


def test_what_changed_while_texts_were_filled_in_is_asked_about_again(
    admin: User, environment: Environment, monkeypatch: Any
) -> None:
    file = ConfigFile.objects.get(name="b.conf")
    real = preparing.ready_push

    def slow(*args: Any) -> Any:
        made = real(*args)
        add_version(actor=admin, file=file, text="c\n")
        return made

    monkeypatch.setattr(preparing, "ready_push", slow)
    with pytest.raises(Exception, match="Something changed"):
        _pushed(admin, environment)
    assert not ConfigPush.objects.exists()
    assert not DeployLock.objects.exists()


def test_very_many_texts_are_filled_in_by_a_worker_and_the_page_says_so(
    admin: User,
    environment: Environment,
    asked: ConfigPush,
    client_of: Any,
) -> None:
    assert (asked.status, asked.run_id) == ("running", None)
    assert asked.lock is not None
    assert [one["path"] for one in asked.files] == [
        "/etc/many/a.conf",
        "/etc/many/b.conf",
    ]
    # The word of an end that has not come yet ends nothing.
    settle(asked.pk)
    page = client_of(admin).get(f"{asked.get_absolute_url()}?tab=result")
    assert "It is being prepared" in page.content.decode()
    preparing.prepare(asked.pk)
    preparing.prepare(asked.pk)
    run = Run.objects.get()
    asked.refresh_from_db()
    assert (asked.status, asked.run, asked.hosts.count()) == ("running", run, 2)
    page = client_of(admin).get(f"{asked.get_absolute_url()}?tab=result")
    assert "It is being prepared" not in page.content.decode()
    settle(ended(asked, {"f0": "p", "f1": "p"}).pk)
    asked.refresh_from_db()
    assert asked.status == "ok"
    lines = AuditEntry.objects.filter(verb__startswith="configpush.")
    assert [line.verb for line in lines.order_by("pk")] == [
        "configpush.start",
        "configpush.finish",
    ]


def test_a_worker_is_called_for_it_after_the_commit(
    admin: User,
    environment: Environment,
    settings: Any,
    monkeypatch: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    settings.CONFIG_PUSH_AT_ONCE = 0
    called: list[Any] = []

    def send_task(name: str, args: Any, **_options: Any) -> None:
        called.append((name, args))

    monkeypatch.setattr(calling.current_app, "send_task", send_task)
    with django_capture_on_commit_callbacks(execute=True):
        push = _pushed(admin, environment)
    assert ("delivery.prepare_push", (push.pk,)) in called


def test_what_changed_before_the_worker_came_fails_and_frees_the_environment(
    admin: User, asked: ConfigPush
) -> None:
    add_version(actor=admin, file=ConfigFile.objects.get(name="b.conf"), text="c\n")
    preparing.prepare(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.lock_id, asked.run_id) == ("failed", None, None)
    assert "Something changed" in asked.explanation
    assert not DeployLock.objects.exists()
    assert not Run.objects.exists()


def test_whoever_may_not_deploy_any_more_brings_nothing_by_a_worker(
    admin: User, asked: ConfigPush
) -> None:
    User.objects.filter(pk=admin.pk).update(is_superuser=False)
    preparing.prepare(asked.pk)
    asked.refresh_from_db()
    assert asked.status == "failed"
    assert not Run.objects.exists()


def test_a_push_that_is_being_prepared_can_be_cancelled(
    admin: User, asked: ConfigPush
) -> None:
    cancel_push(actor=admin, push=asked)
    preparing.prepare(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.lock_id, asked.run_id) == ("cancelled", None, None)
    assert not DeployLock.objects.exists()
    assert AuditEntry.objects.filter(verb="configpush.cancel").count() == 1


def test_the_sweep_prepares_what_no_worker_was_called_for(asked: ConfigPush) -> None:
    sweeping.sweep()
    assert not Run.objects.exists()
    old = timezone.now() - timedelta(minutes=2)
    ConfigPush.objects.update(created_at=old)
    sweeping.sweep()
    asked.refresh_from_db()
    assert asked.run is not None


def test_a_reading_of_very_many_is_prepared_by_a_worker_too(
    admin: User, environment: Environment, settings: Any
) -> None:
    settings.CONFIG_PUSH_AT_ONCE = 0
    reading = request_read(actor=admin, environment=environment)
    assert (reading.run_id, reading.lock_id) == (None, None)
    file = ConfigFile.objects.get(name="b.conf")
    newer = add_version(actor=admin, file=file, text="c\n")
    preparing.prepare(reading.pk)
    reading.refresh_from_db()
    assert reading.run is not None
    # What is compared is what is in force when it is filled in.
    assert reading.files[1]["version"] == newer.pk
