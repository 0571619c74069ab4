"""The cast of the tests: who is who, and a browser client for each."""

import gc
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.test import Client

from accounts.models import User
from adminset import audit_triggers, maintenance, webhook_outbox
from adminset.http import PROVED_AT
from cmdb.models import HostGroup
from monitor import metric_store
from monitor.store import MetricStore
from tests import template
from tests.factories import make_group, make_user
from tests.mongo import MongoServer, given_url

LONGEST_ID = 60
# Objects made before Python looks for rings of them that nobody holds: at its own 700 each tenth second of the suite goes there.
gc.set_threshold(50_000, 20, 50)


@receiver(connection_created)
def _read_beside_writers(connection: Any, **_more: Any) -> None:
    """Let threads read while another one writes: connections to one database in memory lock tables, and wait for none of them."""
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA read_uncommitted = 1")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that are given the most time, so that no process ends alone with a long one."""
    items.sort(key=_given_seconds, reverse=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Look no more at what stays until the end: modules, and the tests themselves."""
    gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a test after the beginning of a long text: names of megabytes travel between the processes with every report."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        return f"{val[:LONGEST_ID]!r} and {len(val) - LONGEST_ID} more"
    return None


def _given_seconds(item: pytest.Item) -> float:
    """Give a test's own time limit; 0 for groups, which begin first anyway, and for those that empty the database, which must not."""
    if item.get_closest_marker("xdist_group"):
        return 0
    marked = item.get_closest_marker("django_db")
    empties = marked and marked.kwargs.get("transaction")
    limit = item.get_closest_marker("timeout")
    if empties or "live_server" in getattr(item, "fixturenames", ()) or not limit:
        return 0
    return float(limit.args[0])


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_use_migrations: bool,
    django_db_blocker: Any,
) -> None:
    """The test database, in memory a copy of the run's template; without the triggers of the audit trail, for tests empty its tables."""
    if connection.settings_dict["NAME"] == ":memory:" and django_db_use_migrations:
        with django_db_blocker.unblock():
            template.load(connection)
    else:
        request.getfixturevalue("django_db_setup")
    # test_audit_triggers.py makes them again.
    with django_db_blocker.unblock():
        audit_triggers.drop(connection)


@pytest.fixture(autouse=True)
def _clean_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _no_maintenance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remember for the whole test that maintenance is off: the look at the switch is no query of what is tested."""
    monkeypatch.setattr(maintenance, "_kept", (math.inf, {}))


@pytest.fixture(autouse=True)
def _no_web_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of web-hooks; their own tests let the portal look."""
    monkeypatch.setattr(webhook_outbox, "_kept", (math.inf, []))


@pytest.fixture
def group(db: None) -> HostGroup:
    """The host group that the operator is responsible for."""
    return make_group("web")


@pytest.fixture
def other_group(db: None) -> HostGroup:
    """A host group that is none of the operator's business."""
    return make_group("database")


@pytest.fixture
def admin(db: None) -> User:
    """May do everything."""
    return make_user("admin", is_superuser=True)


@pytest.fixture
def operator(group: HostGroup) -> User:
    """May do everything with hosts, and look at measurements and runs, within one group."""
    actions = ("view", "add", "change", "delete", "run")
    return make_user(
        "operator",
        perms=[
            *(f"cmdb.{action}_host" for action in actions),
            "cmdb.view_hostgroup",
            "cmdb.use_credential",
            "cmdb.view_idc",
            "cmdb.view_agent",
            "monitor.view_metrics",
            "tasks.view_run",
            "tasks.add_run",
        ],
        groups=[group],
    )


@pytest.fixture
def auditor(db: None) -> User:
    """Reads everything, changes nothing."""
    return make_user("auditor", perms=["*.view_*"])


@pytest.fixture
def stranger(db: None) -> User:
    """May sign in, and that is all."""
    return make_user("stranger")


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """Give a browser in which a user is signed in."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        session = client.session
        session[PROVED_AT] = time.time()
        session.save()
        return client

    return signed_in


@pytest.fixture(scope="session")
def mongo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that speaks MongoDB's wire protocol, for all tests of this process."""
    if given_url():
        yield given_url()
        return
    server = MongoServer(tmp_path_factory.mktemp("mongo")).start()
    yield server.url
    server.kill()


@pytest.fixture
def measurements(
    mongo_url: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Iterator[MetricStore]:
    """The portal's metric store on a real server, with an empty database of its own."""
    settings.MONGO_URL = mongo_url
    settings.MONGO_DATABASE = f"test_{time.time_ns()}"
    metric_store.store.cache_clear()
    yield metric_store.store()
    metric_store.store().close()
    metric_store.store.cache_clear()
