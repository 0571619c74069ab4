"""Sets of releases: one part after the other, and back as one in reverse order when one fails."""

from __future__ import annotations

import pytest

from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from delivery.models import (
    Deploy,
    DeployRequest,
    ReleaseSetItem,
    SetPart,
    SetRun,
)
from delivery.releasesets.advance import advance
from delivery.releasesets.starting import cancel_set, start_set
from delivery.triggers.making import make
from tests.delivery.triggers.set_things import Row, row
from tests.factories import make_user

__all__ = ["row"]
pytestmark = pytest.mark.django_db


def test_parts_go_one_after_the_other(row: Row) -> None:
    run = row.start()
    assert row.states() == ["going", "waiting", "waiting"]
    advance(run.pk)
    assert DeployRequest.objects.count() == 1
    for position in (1, 2, 3):
        row.end(position)
    run.refresh_from_db()
    assert (row.states(), run.state) == (["ok", "ok", "ok"], "ok")
    assert {one.trigger for one in Deploy.objects.all()} == {"set"}
    assert run.ended_at is not None
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"releaseset.start", "releaseset.finish"} <= verbs


def test_when_one_fails_those_before_it_come_back_the_last_one_first(row: Row) -> None:
    run = row.start()
    row.end(1)
    row.end(2)
    row.end(3, "rolled_back")
    assert row.states() == ["ok", "going_back", "failed"]
    back = row.deploy_of(2, back=True)
    assert (back.kind, back.artefact) == ("rollback", row.before[1])
    # What the other deploy says may name hosts that readers of this one do not see.
    assert "it is rolled_back" not in back.reason
    row.end(2, back=True)
    assert row.states() == ["going_back", "back", "failed"]
    row.end(1, back=True)
    run.refresh_from_db()
    assert (row.states(), run.state) == (["back", "back", "failed"], "back")
    assert "it is rolled_back" in run.explanation


def test_one_that_failed_and_kept_what_it_did_comes_back_too(row: Row) -> None:
    row.start()
    row.end(1)
    row.end(2, "failed", touched=True)
    assert row.states() == ["ok", "going_back", "skipped"]
    row.end(2, back=True)
    row.end(1, back=True)
    assert SetRun.objects.get().state == "back"


def test_a_part_that_cannot_come_back_is_named_and_the_others_do(row: Row) -> None:
    row.start()
    row.end(1)
    row.end(2)
    row.end(3, "failed")
    row.end(2, "failed", back=True)
    row.end(1, back=True)
    run = SetRun.objects.get()
    assert (row.states(), run.state) == (["back", "stuck", "failed"], "failed")
    assert "2. p2" in run.explanation


def test_a_wish_that_is_refused_turns_the_set_around(row: Row) -> None:
    ReleaseSetItem.objects.filter(position=2).update(ref="no-such")
    run = row.start()
    row.end(1)
    wish = SetPart.objects.get(position=2).request
    assert wish is not None
    make(wish.pk)
    advance(run.pk)
    assert row.states() == ["going_back", "failed", "skipped"]


def test_a_set_that_is_stopped_stops_what_goes_and_takes_back_what_went(
    row: Row,
) -> None:
    run = row.start()
    row.end(1)
    deploy = row.deploy_of(2)
    cancel_set(actor=row.user, run=run, reason="wrong one")
    cancel_set(actor=row.user, run=run)
    advance(run.pk)
    deploy.refresh_from_db()
    assert deploy.cancel_requested_at is not None
    assert row.states() == ["ok", "going", "waiting"]
    Deploy.objects.filter(pk=deploy.pk).update(status="cancelled")
    advance(run.pk)
    row.end(1, back=True)
    run.refresh_from_db()
    assert (row.states(), run.state) == (["back", "failed", "skipped"], "cancelled")
    assert AuditEntry.objects.filter(verb="releaseset.cancel").count() == 1


def test_nobody_lets_a_set_go_that_leads_where_he_may_not(row: Row) -> None:
    stranger = make_user("stranger")
    with pytest.raises(Forbidden):
        start_set(actor=stranger, release_set=row.release_set, reason="x")
    with pytest.raises(DomainError):
        start_set(actor=row.user, release_set=row.release_set, reason=" ")
    row.start()
    with pytest.raises(Conflict):
        start_set(actor=row.user, release_set=row.release_set, reason="again")
    assert SetRun.objects.count() == 1


def test_where_nothing_was_live_there_is_nothing_to_go_back_to(row: Row) -> None:
    item = ReleaseSetItem.objects.get(position=1)
    item.environment.live_releases.all().delete()
    row.start()
    row.end(1)
    row.end(2, "rolled_back")
    assert (row.states()[0], SetRun.objects.get().state) == ("stuck", "failed")
