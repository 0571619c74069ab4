"""Pushes whose end cannot be kept hold up nobody, and the lock of one that goes on is not taken away from it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.crypto import Secret
from adminset.errors import Conflict
from adminset.models import AuditEntry
from appconf.models import Environment
from delivery.configs import ending, sweeping
from delivery.configs.planning import make_plan
from delivery.configs.pushing import cancel_push
from delivery.models import ConfigPush, ConfigPushHost, DeployLock
from delivery.safety import locks
from tests.app_factories import make_environment, make_project
from tests.appconf.config_things import make_file, make_variable
from tests.delivery.configs.push_things import ask, ended
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
PLACED = {"f0": "p"}


@pytest.fixture
def two(admin: User, settings: Any, tmp_path: Any) -> list[ConfigPush]:
    """Pushes to two environments."""
    settings.RUN_DIR = tmp_path / "runs"
    return [_pushed(admin, name) for name in ("first", "second")]


def _pushed(admin: User, name: str) -> ConfigPush:
    project = make_project(name, config_path="/etc/it")
    made: Environment = make_environment(
        project, "live", hosts=[make_host(name)], by=admin
    )
    make_variable(made, "KEY", secret="s3cret-word")
    make_file(admin, project, "key=${KEY}\n", "a.conf")
    plan = make_plan(admin, made)
    return ask(admin, made, plan)


def test_a_push_that_cannot_be_settled_fails_and_holds_up_no_other(
    two: list[ConfigPush], monkeypatch: Any
) -> None:
    first, second = two
    real = ending.reports

    def broken(run: Any) -> Any:
        if run.pk == first.run_id:
            raise ValueError("what nobody foresaw")
        return real(run)

    monkeypatch.setattr(ending, "reports", broken)
    for push in two:
        ended(push, PLACED)
    sweeping.sweep()
    for push in two:
        push.refresh_from_db()
    assert (first.status, second.status) == ("failed", "ok")
    assert "could not be kept" in first.explanation
    assert first.hosts.get().status == "unknown"
    # Its environment is free, and nothing of its texts is kept.
    assert not DeployLock.objects.exists()
    assert first.run is not None
    assert (first.run.sealed, first.run.leg.host_values) == (None, {})
    assert AuditEntry.objects.filter(verb="configpush.finish").count() == 2


def test_a_database_that_is_away_for_a_moment_fails_nothing(
    two: list[ConfigPush], monkeypatch: Any
) -> None:
    first, _second = two
    ended(first, PLACED)
    with monkeypatch.context() as patch:

        def away(_run: Any) -> Any:
            raise sweeping.OperationalError("database is locked")

        patch.setattr(ending, "reports", away)
        sweeping.sweep()
        first.refresh_from_db()
        assert first.status == "running"
    sweeping.sweep()
    first.refresh_from_db()
    assert first.status == "ok"


def test_a_push_ends_though_the_key_of_its_secrets_is_lost(
    two: list[ConfigPush],
) -> None:
    first, _second = two
    lost = Secret("v1:gone:AAAA", "delivery.configpushhost.secrets")
    ConfigPushHost.objects.filter(push=first).update(secrets=lost)
    row = first.hosts.get()
    assert row.secrets is not None
    ended(first, PLACED)
    sweeping.sweep()
    first.refresh_from_db()
    assert (first.status, first.hosts.get().status) == ("ok", "ok")
    assert first.hosts.get().secrets is None


def test_an_environment_that_cannot_be_read_holds_up_no_other(
    two: list[ConfigPush], monkeypatch: Any
) -> None:
    for push in two:
        ended(push, PLACED)
        ending.settle(push.pk)
    begun = []

    def asked(*, actor: Any, environment: Environment, file_ids: Any) -> ConfigPush:
        begun.append(environment.pk)
        if environment.pk == two[0].environment_id:
            raise ValueError("what nobody foresaw")
        return two[1]

    due = [(push.environment, [1]) for push in two]
    monkeypatch.setattr(sweeping, "due_environments", lambda: due)
    monkeypatch.setattr(sweeping, "request_read", asked)
    assert sweeping.sweep() == [two[1].pk]
    assert len(begun) == 2


def test_the_lock_of_a_push_that_goes_on_is_neither_given_back_nor_broken(
    admin: User, two: list[ConfigPush], client_of: Any
) -> None:
    first = two[0]
    lock = first.lock
    assert lock is not None
    assert lock.owner == admin
    other = make_user("breaker", is_superuser=True)
    with pytest.raises(Conflict) as mine:
        locks.release_lock(actor=admin, lock=lock)
    with pytest.raises(Conflict) as others:
        locks.break_lock(actor=other, lock=lock, reason="in my way")
    assert {mine.value.code, others.value.code} == {"push_open"}
    assert "Cancel the push" in str(mine.value.hint)
    assert DeployLock.objects.filter(pk=lock.pk).exists()
    assert not AuditEntry.objects.filter(verb__startswith="deploylock.").exists()
    for user in (admin, other):
        page = client_of(user).get("/delivery/locks/").content.decode()
        assert first.get_absolute_url() in page
        assert f"/locks/{lock.pk}/release/" not in page
        assert f"/locks/{lock.pk}/break/" not in page
    cancel_push(actor=admin, push=first)
    ending.settle(ended(first, {}, "cancelled").pk)
    assert not DeployLock.objects.filter(pk=lock.pk).exists()


def test_a_lock_whose_push_has_ended_can_be_given_back(
    admin: User, two: list[ConfigPush]
) -> None:
    first = two[0]
    assert first.lock is not None
    ConfigPush.objects.filter(pk=first.pk).update(status="failed")
    locks.release_lock(actor=admin, lock=first.lock)
    assert DeployLock.objects.filter(environment=first.environment).count() == 0


def test_who_waits_is_called_though_another_one_who_is_told_breaks(
    admin: User, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    called: list[int] = []

    def broken(_pk: int) -> None:
        raise ValueError("what nobody foresaw")

    monkeypatch.setattr(locks, "after_free", [broken, called.append])
    environment = make_environment(make_project("x"), "live")
    lock = locks.take_lock(actor=admin, environment=environment, reason="r")
    with django_capture_on_commit_callbacks(execute=True):
        locks.release_lock(actor=admin, lock=lock)
    assert called == [environment.pk]
