"""A run that is limited to some of its hosts: the others are shown as skipped, and count nowhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from adminset.errors import DomainError
from adminset.models import AuditEntry
from tasks.models import Run, RunHost
from tasks.services.execute import LANES
from tasks.services.jobs import Ended, Job
from tasks.services.launch import repeat_run
from tasks.workflows.values import values_of
from tests.tasks.engine_things import a_run, go_on, statuses, words_of

pytestmark = pytest.mark.django_db
Ends = dict[str, str]


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch, run_dir: object) -> Ends:
    """Let modules go down a lane without Ansible; how hosts end in it, "ok" where nothing is said."""
    found: Ends = {}

    def lane(job: Job) -> str:
        for row in job.rows:
            status = found.get(row.host_name, "ok")
            job.record([Ended(row.pk, status, "So it was.")])
        return ""

    monkeypatch.setitem(LANES, Run.Kind.MODULE, lane)
    return found


def limited(
    actor: User, limit: str | list[str], count: int = 4, **wanted: object
) -> Run:
    options = {"limit": limit}
    return a_run(actor, count, kind="module", module="ping", options=options, **wanted)


def test_the_verdict_is_that_of_the_hosts_within_the_limit(
    admin: User, ends: Ends
) -> None:
    run = go_on(limited(admin, "h2", stop_percent=10, pause_after="failure"))
    assert (run.status, run.host_count, run.done_count, run.ok_count) == ("ok", 1, 1, 1)
    skipped = dict.fromkeys(("h1", "h3", "h4"), "skipped")
    assert statuses(run) == skipped | {"h2": "ok"}
    assert words_of(run)["h1"] == "Left out: it is outside the limit of the run."
    assert run.explanation == ("1 host: 1 ok. 3 hosts outside the limit were left out.")
    line = AuditEntry.objects.get(verb="run.finish")
    assert {"field": "hosts", "old": None, "new": {"ok": 1}} in line.changes


def test_a_failure_within_the_limit_is_one(admin: User, ends: Ends) -> None:
    ends["h1"] = "failed"
    run = go_on(limited(admin, ["h1", "h2"], batches="1", stop_percent=50))
    assert run.status == "failed"
    assert statuses(run)["h2"] == "skipped"
    assert words_of(run)["h2"].startswith("Left out: 1 of 2 hosts did not end well")


def test_batches_and_parts_are_of_the_hosts_within_the_limit(
    admin: User, ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tasks.services.placing.queues_of",
        lambda hosts: {host.pk: f"of-{host.hostname}" for host in hosts},
    )
    run = limited(admin, "h3", batches="1")
    assert (run.batch_count, [part.queue for part in run.parts.all()]) == (1, ["of-h3"])
    assert set(run.hosts.filter(status="skipped").values_list("part", flat=True)) == {
        None
    }


def test_a_limit_that_names_no_host_of_the_run_is_refused(
    admin: User, ends: Ends
) -> None:
    with pytest.raises(DomainError, match="no hosts of the run: elsewhere"):
        limited(admin, ["h1", "elsewhere"])
    assert not Run.objects.exists()


def test_trying_again_takes_hosts_within_the_limit_only(
    admin: User, ends: Ends
) -> None:
    ends["h1"] = "failed"
    run = go_on(limited(admin, ["h1", "h2"]))
    again = repeat_run(actor=admin, run=run, failed_only=True)
    assert statuses(again) == {"h1": "not_started"}
    whole = repeat_run(actor=admin, run=run)
    assert set(statuses(whole)) == {"h1", "h2"}
    # It is the same work as before.
    assert whole.same_key == run.same_key
    with pytest.raises(DomainError, match="no host to run on"):
        repeat_run(actor=admin, run=run, selection=["not_started"])


def test_its_page_offers_to_try_again_only_what_failed_within_the_limit(
    admin: User, ends: Ends, client_of: Callable[[User], Client]
) -> None:
    run = go_on(limited(admin, "h1"))
    page = client_of(admin).get(run.get_absolute_url())
    context = page.context
    told = (context["failed"], context["choices"], context["hidden"], context["total"])
    assert told == (False, [], 0, 1)
    text = page.content.decode()
    assert "1 of 1 host done" in text
    assert "Left out: it is outside the limit of the run." in text


def test_a_workflow_takes_what_is_outside_for_no_failure(
    admin: User, ends: Ends
) -> None:
    run = go_on(limited(admin, "h1"))
    values = values_of(run)
    assert (values["hosts"], values["failed"], values["failed_hosts"]) == (1, 0, [])


def test_a_limit_is_nothing_to_a_command(admin: User) -> None:
    run = a_run(admin, 2, options={"limit": "h1"})
    assert not RunHost.objects.filter(run=run, limit=RunHost.OUTSIDE).exists()
    assert run.host_count == 2
