"""Comparing the files of what is live with what was delivered: asked for by hand, noted, and told as drift."""

from __future__ import annotations

import pytest
from django.db import DataError
from django.utils import timezone

from adminset.errors import Forbidden
from adminset.models import AuditEntry
from delivery.engine.calls import run_ended
from delivery.engine.judging import judge
from delivery.models import LiveRelease
from delivery.onhost import told
from delivery.safety import deep_look
from tasks.legs.reading import HostReport
from tasks.models import Run
from tests.delivery.factories import make_live
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user

pytestmark = pytest.mark.django_db
CHANGED = {"live": "1-aa", "whole": "yes", "changed": "2"}


@pytest.fixture
def run(paper: Paper) -> Run:
    """Two hosts that are asked."""
    for host in paper.hosts[:2]:
        make_live(
            paper.environment, host, "1-aa", kept=[{"release": "1-aa"}], previous="0-a"
        )
    return deep_look.ask(actor=paper.user, environment=paper.environment)


def ended(run: Run, status: str = "ok", **said: str) -> list[LiveRelease]:
    """Let the first host say something, and end the run."""
    first = run.hosts.order_by("pk").first()
    assert first is not None
    now = timezone.now()
    run.hosts.update(status="unreachable", explanation="No way.", ended_at=now)
    run.hosts.filter(pk=first.pk).update(
        status=status, report={"said": said}, started_at=now
    )
    Run.objects.filter(pk=run.pk).update(status="failed", ended_at=now)
    run_ended(run.pk)
    return list(LiveRelease.objects.select_related("host").order_by("pk"))


def test_it_asks_the_hosts_that_are_known_once(paper: Paper, run: Run) -> None:
    assert (run.purpose, run.subject) == (
        "delivery.look",
        f"delivery.compare:{paper.environment.pk}",
    )
    wanted = {host.pk for host in paper.hosts[:2]}
    assert set(run.hosts.values_list("host", flat=True)) == wanted
    assert judge(run, paper.hosts[:2]) == wanted
    entry = AuditEntry.objects.get(verb="liverelease.compare")
    assert (entry.actor, entry.target_id) == (paper.user, str(paper.environment.pk))


def test_who_may_not_deploy_there_asks_nobody(paper: Paper) -> None:
    with pytest.raises(Forbidden):
        deep_look.ask(actor=make_user(), environment=paper.environment)
    assert not Run.objects.exists()
    assert not AuditEntry.objects.filter(verb="liverelease.compare").exists()


def test_changed_files_are_noted_and_told_once(run: Run) -> None:
    row, other = ended(run, **CHANGED, changed_files="./app.py ./conf")
    name = row.host.hostname
    words = f"{name}: 2 files of 1-aa are not what was delivered: ./app.py ./conf"
    assert row.changed_words == words
    assert (row.kept, row.previous) == ([{"release": "1-aa"}], "0-a")
    assert (other.problem, other.compare_problem) == ("", "No way.")
    assert other.compared_at is None
    entry = AuditEntry.objects.get(verb="liverelease.drift")
    assert entry.reason == words
    run_ended(run.pk)
    assert AuditEntry.objects.filter(verb="liverelease.drift").count() == 1
    # Another release came meanwhile: of that nobody knows.
    row.said = "2-bb"
    assert row.changed_words == ""


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        (CHANGED | {"changed": "0"}, 0),
        (CHANGED | {"whole": "no"}, None),
        ({"live": "1-aa", "whole": "yes"}, None),
        (CHANGED | {"changed": "x" * 50}, None),
        # More than the column of PostgreSQL holds.
        (CHANGED | {"changed": "999999999999"}, None),
    ],
)
def test_what_is_as_it_was_or_cannot_be_compared_is_no_drift(
    run: Run, said: dict[str, str], changed: int | None
) -> None:
    row, _other = ended(run, **said)
    assert (row.changed, row.changed_words, row.compared) == (changed, "", "1-aa")
    assert row.compared_at is not None
    assert not AuditEntry.objects.filter(verb="liverelease.drift").exists()


def test_when_it_has_ended_hosts_are_asked_anew(paper: Paper, run: Run) -> None:
    def again() -> Run:
        return deep_look.ask(actor=paper.user, environment=paper.environment)

    assert again() == run
    ended(run, **CHANGED)
    other = again()
    assert other != run
    assert other.is_open
    assert again() == other


def test_a_comparison_that_failed_takes_nothing_from_what_is_known(run: Run) -> None:
    LiveRelease.objects.update(problem="It is out of the balancer.")
    ended(run, **CHANGED)
    row, _other = ended(run, "failed", why="no manifest")
    assert (row.compare_problem, row.changed) == ("no manifest", 2)
    assert row.changed_words
    # What was read is another matter.
    assert row.problem == "It is out of the balancer."
    row, _other = ended(run, **CHANGED)
    assert (row.compare_problem, row.problem) == ("", "It is out of the balancer.")


def test_a_host_of_which_nothing_can_be_kept_does_not_hold_up_the_others(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run.hosts.order_by("pk")[0]
    real = told.drift

    def drift(report: HostReport | None) -> told.Drift:
        if report is not None and report.host_id == first.host_id:
            raise DataError("value out of range")
        return real(report)

    monkeypatch.setattr(told, "drift", drift)
    row, other = ended(run, **CHANGED)
    assert row.compared_at is None
    assert other.compare_problem == "No way."
