"""One worker at a time fills in a push, and what it has begun is not ended by another that came too late."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from redis import RedisError

from accounts.models import User
from adminset.errors import Conflict
from adminset.models import AuditEntry
from delivery.configs import preparing, sweeping
from delivery.configs.planning import make_plan
from delivery.models import ConfigPush, DeployLock
from tasks.models import Run
from tests.app_factories import make_environment, make_project
from tests.appconf.config_things import make_file
from tests.delivery.configs.push_things import ask
from tests.factories import make_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(admin: User, settings: Any, tmp_path: Any) -> ConfigPush:
    """A push that a worker is to fill in."""
    settings.RUN_DIR = tmp_path / "runs"
    settings.CONFIG_PUSH_AT_ONCE = 0
    project = make_project("papers", config_path="/etc/papers")
    host = make_host("paper1")
    environment = make_environment(project, "live", hosts=[host], by=admin)
    make_file(admin, project, "a\n", "a.conf")
    plan = make_plan(admin, environment)
    return ask(admin, environment, plan)


@pytest.mark.parametrize("error", [Conflict("Something changed."), ValueError("no")])
def test_a_worker_that_comes_to_nothing_does_not_end_what_another_began(
    asked: ConfigPush, monkeypatch: Any, error: Exception
) -> None:
    real = preparing._ready

    def overtaken(push: ConfigPush) -> Any:
        """The claim ran out, another worker has begun the run, and this one finds that it cannot."""
        cache.clear()
        monkeypatch.setattr(preparing, "_ready", real)
        preparing.prepare(push.pk)
        raise error

    monkeypatch.setattr(preparing, "_ready", overtaken)
    preparing.prepare(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.explanation) == ("running", "")
    assert asked.run == Run.objects.get()
    assert asked.hosts.get().status == "waiting"
    assert asked.lock == DeployLock.objects.get()
    assert not AuditEntry.objects.filter(verb="configpush.finish").exists()


def test_while_one_worker_fills_in_the_sweep_leaves_it_alone(
    asked: ConfigPush, monkeypatch: Any
) -> None:
    real, seen = preparing._ready, []

    def slow(push: ConfigPush) -> Any:
        seen.append(push.pk)
        monkeypatch.setattr(sweeping, "PREPARED_WITHIN", -60)
        if len(seen) == 1:
            sweeping.sweep()
        return real(push)

    monkeypatch.setattr(preparing, "_ready", slow)
    preparing.prepare(asked.pk)
    assert seen == [asked.pk]
    assert Run.objects.count() == 1


def test_a_push_that_met_a_broken_database_is_taken_up_again_at_once(
    asked: ConfigPush, monkeypatch: Any
) -> None:
    def away(_push: ConfigPush) -> Any:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(preparing, "_ready", away)
        with pytest.raises(OperationalError):
            preparing.prepare(asked.pk)
    assert not Run.objects.exists()
    preparing.prepare(asked.pk)
    asked.refresh_from_db()
    assert asked.run is not None


def test_without_redis_a_push_is_prepared_all_the_same(
    asked: ConfigPush, monkeypatch: Any
) -> None:
    def away(*_args: Any) -> Any:
        raise RedisError

    monkeypatch.setattr(cache, "add", away)
    monkeypatch.setattr(cache, "delete", away)
    preparing.prepare(asked.pk)
    asked.refresh_from_db()
    assert asked.run is not None
