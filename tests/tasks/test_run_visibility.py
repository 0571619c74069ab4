"""A run that touches hosts of several groups: who looks after one of them learns nothing of the others' hosts."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset import audit
from cmdb.models import HostGroup
from tasks.models import Run, RunHost
from tasks.services.launch import RunSpec, request_run
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def run(admin: User, group: HostGroup, other_group: HostGroup) -> Run:
    """A run on one host of the operator's and two others, one of which it reached."""
    hosts = [make_host("web-mine", groups=[group])]
    hosts += [make_host(f"db-hidden-{n}", groups=[other_group]) for n in (1, 2)]
    spec = RunSpec(command="id", host_ids=tuple(host.pk for host in hosts))
    made = request_run(actor=admin, spec=spec)
    RunHost.objects.exclude(host_name="db-hidden-2").update(status="ok")
    Run.objects.update(done_count=2, ok_count=2)
    return made


def _history(client: Client, run: Run) -> str:
    answer = client.get(reverse("tasks:run_history", args=[run.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_history_of_a_run_names_the_readers_own_hosts_only(
    client_of: Signed, operator: User, admin: User, run: Run
) -> None:
    page = _history(client_of(operator), run)
    assert "web-mine" in page
    assert "db-hidden" not in page
    assert "others" in page
    assert "db-hidden-2" in _history(client_of(admin), run)
    reader = make_user(perms=["tasks.view_run"])
    assert "db-hidden-2" in _history(client_of(reader), run)


def test_older_lines_that_list_the_hosts_as_one_text_are_not_shown_either(
    client_of: Signed, operator: User, admin: User, run: Run
) -> None:
    change = {"field": "hosts", "old": None, "new": "web-mine, db-hidden-1"}
    audit.record(admin, "run.request", run, changes=[change])
    assert "db-hidden" not in _history(client_of(operator), run)


def test_the_history_still_counts_how_a_run_ended(
    client_of: Signed, operator: User, admin: User, run: Run
) -> None:
    change = {"field": "hosts", "old": None, "new": {"unreachable": 77}}
    audit.record(admin, "run.finish", run, changes=[change])
    assert "77" in _history(client_of(operator), run)


def test_the_api_counts_the_hosts_that_the_reader_sees(
    client_of: Signed, operator: User, admin: User, run: Run
) -> None:
    def counts(user: User, path: str) -> list[int]:
        row = client_of(user).get(path).json()
        row = row["results"][0] if "results" in row else row
        return [row[name] for name in ("host_count", "done_count", "ok_count")]

    for path in ("/api/v1/runs/", f"/api/v1/runs/{run.pk}/"):
        assert counts(operator, path) == [1, 1, 1]
        assert counts(admin, path) == [3, 2, 2]


def test_a_run_of_which_no_host_is_left_counts_none(
    client_of: Signed, operator: User, group: HostGroup
) -> None:
    spec = RunSpec(command="id", host_ids=(make_host(groups=[group]).pk,))
    run = request_run(actor=operator, spec=spec)
    RunHost.objects.all().delete()
    row = client_of(operator).get(f"/api/v1/runs/{run.pk}/").json()
    assert (row["host_count"], row["ok_count"]) == (0, 0)
