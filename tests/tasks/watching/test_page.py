"""The page of a run and the list of runs: trying again by how hosts ended, how long it takes, what narrows the list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from cmdb.models import Host
from tasks.models import Run, RunHost
from tests.factories import make_host
from tests.tasks.watching.conftest import Ended

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def two(ended: Ended, own: Host, foreign: Host) -> Run:
    said = {own: ("ok", 0, b"a\n"), foreign: ("failed", 3, b"b\n")}
    return ended(said, status="failed")


def choices(page: Any) -> list[tuple[str, int]]:
    return [(name, count) for name, _words, count in page.context["choices"]]


def test_hosts_are_tried_again_by_how_they_ended(
    client_of: Signed, admin: User, two: Run
) -> None:
    client, url = client_of(admin), two.get_absolute_url()
    assert choices(client.get(url)) == [("failed", 1)]
    RunHost.objects.filter(host_name="own-host").update(status="unreachable")
    assert choices(client.get(url)) == [("failed", 1), ("unreachable", 1)]
    client.post(f"{url}again/", {"hosts": ["unreachable"]})
    again = Run.objects.latest("pk")
    assert [row.host_name for row in again.hosts.all()] == ["own-host"]
    client.post(f"{url}again/", {"hosts": ["unknown"]})
    assert Run.objects.latest("pk") == again


def test_a_run_that_goes_on_says_how_long_it_usually_takes(
    client_of: Signed, admin: User, ended: Ended, own: Host, two: Run
) -> None:
    now = timezone.now()
    Run.objects.update(started_at=now - timedelta(minutes=10), ended_at=now)
    run = ended({own: ("running", None, b"")}, status="running", started_at=now)
    client = client_of(admin)
    text = client.get(run.get_absolute_url()).content.decode()
    assert "0 of 1 host done" in text
    assert "about 9 min" in text
    Run.objects.filter(pk=run.pk).update(started_at=now - timedelta(hours=1))
    text = client.get(run.get_absolute_url()).content.decode()
    assert "usually 10 min" in text


def test_only_a_run_that_goes_on_is_read_again_by_itself(
    client_of: Signed, admin: User, two: Run
) -> None:
    client = client_of(admin)
    assert "every 2s" not in client.get(two.get_absolute_url()).content.decode()
    Run.objects.update(status="running")
    htmx = {"HX-Request": "true"}
    answer = client.get(two.get_absolute_url(), headers=htmx)
    text = answer.content.decode()
    assert "every 2s" in text
    assert 'hx-include="#run-row-host"' in text
    assert "run-host-list" not in text.replace('hx-target="#run-host-list"', "")


def test_a_page_of_many_hosts_asks_no_more_often_than_one_of_few(
    client_of: Signed, admin: User, ended: Ended
) -> None:
    client = client_of(admin)
    counts = []
    for number in (2, 40):
        hosts = [make_host() for _one in range(number)]
        said = {host: ("ok", 0, b"%d\n" % host.pk) for host in hosts}
        run = ended(said)
        client.get(run.get_absolute_url())
        with CaptureQueriesContext(connection) as queries:
            client.get(run.get_absolute_url())
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_list_of_runs_is_narrowed_by_kind_module_and_who_asked(
    client_of: Signed, admin: User, ended: Ended, own: Host, two: Run
) -> None:
    said = {own: ("ok", 0, b"")}
    other = ended(said, kind="module", module="ansible.builtin.ping", command="")
    client = client_of(admin)

    def listed(query: str) -> set[int]:
        page = client.get(f"/tasks/runs/?{query}")
        return {row.record.pk for row in page.context["table"].rows}

    assert listed("module=ping") == listed("kind=module") == {other.pk}
    assert listed("requested_by_name=nobody") == set()
    assert listed("status=failed") == {two.pk}
