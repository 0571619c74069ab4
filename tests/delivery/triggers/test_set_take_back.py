"""A set that has ended comes back as one also afterwards: by people, the last part first, and nobody's newer release with it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from appconf.vouching import vouch
from delivery.models import (
    Artefact,
    Deploy,
    DeployRequest,
    LiveRelease,
    ReleaseSetItem,
    SetPart,
    SetRun,
)
from delivery.releasesets.advance import advance
from delivery.releasesets.taking_back import take_back
from tests.app_factories import grant_on
from tests.delivery.factories import make_artefact, make_deploy, make_live
from tests.delivery.triggers.api_things import MAY
from tests.delivery.triggers.set_things import Row, row
from tests.factories import make_host, make_user

__all__ = ["row"]
pytestmark = pytest.mark.django_db


def put(position: int, artefact: Artefact, deploy: Deploy) -> None:
    """Say that a deploy made an artefact live in the environment of a part."""
    Deploy.objects.filter(pk=deploy.pk).update(artefact=artefact)
    environment = SetPart.objects.get(position=position).environment
    rows = LiveRelease.objects.filter(environment=environment)
    told = {"expected": artefact.release, "said": artefact.release}
    rows.update(artefact=artefact, deploy=deploy, since=timezone.now(), **told)


def went_well(row: Row) -> SetRun:
    """Let the set go to its end, each part with an artefact of its own."""
    run = row.start()
    for position in (1, 2, 3):
        deploy = row.deploy_of(position)
        put(position, make_artefact(deploy.pipeline.project), deploy)
        row.end(position)
    run.refresh_from_db()
    assert (row.states(), run.state) == (["ok"] * 3, "ok")
    return run


def by_somebody(position: int, artefact: Artefact | None = None, **fields: Any) -> Any:
    """Deliver to the environment of a part by hand."""
    environment = SetPart.objects.get(position=position).environment
    made = make_deploy(environment, **({"status": "ok"} | fields))
    if made.status == "ok":
        put(position, artefact or make_artefact(environment.project), made)
    return made


def nothing_happened(run: SetRun) -> bool:
    run.refresh_from_db()
    lines = AuditEntry.objects.filter(verb="releaseset.take_back")
    back = DeployRequest.objects.filter(kind="rollback")
    return not (run.is_open or run.take_backs or lines.exists() or back.exists())


@pytest.fixture
def other(row: Row) -> User:
    """Somebody who may deliver all of it, and did not start the set."""
    made = make_user("other")
    grant_on(made, MAY, *(one.project for one in row.before))
    return made


def test_a_set_that_ended_well_comes_back_the_last_part_first(
    row: Row, other: User
) -> None:
    run = went_well(row)
    for _pressed in range(2):
        take_back(actor=other, run=run, reason="orders are lost")
    for position in (3, 2, 1):
        advance(run.pk)
        assert row.states()[position - 1] == "going_back"
        assert row.states().count("going_back") == 1
        back = row.deploy_of(position, back=True)
        assert (back.kind, back.artefact) == ("rollback", row.before[position - 1])
        assert back.requested_by == other
        row.end(position, back=True)
    run.refresh_from_db()
    assert (row.states(), run.state) == (["back"] * 3, "taken_back")
    assert "other had it taken back: orders are lost" in run.explanation
    assert run.ended_at is not None
    line = AuditEntry.objects.get(verb="releaseset.take_back")
    assert (line.actor, line.reason) == (other, "orders are lost")
    assert [one["new"] for one in line.changes] == [
        one.release for one in reversed(row.before)
    ]
    with pytest.raises(Conflict) as refused:
        take_back(actor=other, run=run, reason="once more")
    assert refused.value.code == "nothing_out"


def test_where_nothing_may_be_delivered_any_more_nobody_says_it_was_taken_back(
    row: Row, admin: User
) -> None:
    run = went_well(row)
    third = SetPart.objects.get(position=3).environment
    third.environmenthost_set.all().delete()
    take_back(actor=admin, run=run, reason="orders are lost")
    advance(run.pk)
    part = run.parts.get(position=3)
    assert (part.state, part.back_request) == ("stuck", None)
    assert "Nothing may be delivered here any more" in part.words


def test_what_could_not_be_taken_back_has_another_try(row: Row) -> None:
    place = ReleaseSetItem.objects.get(position=2).environment
    well = make_host("well")
    place.hosts.add(well)
    vouch(row.user, place, [well.pk], [])
    old = row.before[1]
    make_live(place, well, old.release, artefact=old)
    run = row.start()
    row.end(1)
    deploy = row.deploy_of(2)
    put(2, make_artefact(deploy.pipeline.project), deploy)
    row.end(2)
    row.end(3, "failed")
    told = {"artefact": old, "said": old.release, "expected": old.release}
    LiveRelease.objects.filter(host=well).update(**told)
    row.end(2, "failed", back=True)
    row.end(1, back=True)
    first = SetPart.objects.get(position=2).back_request
    run.refresh_from_db()
    assert (row.states(), run.state) == (["back", "stuck", "failed"], "failed")
    take_back(actor=row.user, run=run, reason="the host is there again")
    advance(run.pk)
    assert row.states() == ["back", "going_back", "failed"]
    again = SetPart.objects.get(position=2).back_request
    assert again is not None
    assert again != first
    # Hosts that came back are not restarted for those that did not.
    assert again.host_ids == [place.hosts.get(hostname="host2").pk]
    row.end(2, back=True)
    run.refresh_from_db()
    assert (row.states(), run.state) == (["back", "back", "failed"], "taken_back")
    assert DeployRequest.objects.filter(kind="rollback").count() == 3


def test_a_second_try_that_fails_leaves_a_third(row: Row) -> None:
    run = went_well(row)
    for reason in ("first", "second"):
        take_back(actor=row.user, run=run, reason=reason)
        advance(run.pk)
        for position in (3, 2, 1):
            if row.states()[position - 1] == "going_back":
                row.end(position, "failed" if position == 2 else "ok", back=True)
        run.refresh_from_db()
        assert (row.states(), run.state) == (["back", "stuck", "back"], "failed")
    assert run.take_backs == 2
    assert DeployRequest.objects.filter(kind="rollback").count() == 4


def test_nobodys_newer_release_is_taken_back(row: Row) -> None:
    run = went_well(row)
    newer = by_somebody(2, requested_by_name="ann")
    with pytest.raises(Conflict, match=r"2\. p2.* not the newest any more") as refused:
        take_back(actor=row.user, run=run, reason="x")
    assert refused.value.code == "newer"
    assert f"#{newer.pk}" in refused.value.message
    assert "ann" in refused.value.message
    assert nothing_happened(run)


def test_one_that_was_asked_for_before_and_went_after_counts_as_newer(row: Row) -> None:
    environment = ReleaseSetItem.objects.get(position=2).environment
    waits = make_deploy(environment, status="waiting_approval")
    run = went_well(row)
    Deploy.objects.filter(pk=waits.pk).update(status="ok")
    put(2, make_artefact(environment.project), waits)
    with pytest.raises(Conflict, match="brought another release"):
        take_back(actor=row.user, run=run, reason="x")


@pytest.mark.parametrize("status", ["running", "paused"])
def test_while_somebody_delivers_there_nothing_is_taken_back(
    row: Row, status: str
) -> None:
    run = went_well(row)
    by_somebody(1, status=status)
    with pytest.raises(Conflict, match="is at work there"):
        take_back(actor=row.user, run=run, reason="x")
    assert nothing_happened(run)


def test_deploys_that_changed_nothing_do_not_stand_in_the_way(row: Row) -> None:
    run = went_well(row)
    by_somebody(1, status="failed")
    by_somebody(2, status="waiting")
    take_back(actor=row.user, run=run, reason="x")
    assert run.parts.filter(to_take_back=True).count() == 3


def test_what_somebody_took_back_by_hand_is_left_as_it_is(row: Row) -> None:
    run = went_well(row)
    by_somebody(3, row.before[2], kind="rollback")
    take_back(actor=row.user, run=run, reason="x")
    advance(run.pk)
    assert row.states() == ["ok", "going_back", "back"]
    assert "took it back already" in SetPart.objects.get(position=3).words


def test_what_is_delivered_while_the_others_go_back_stays_and_is_named(
    row: Row,
) -> None:
    run = went_well(row)
    take_back(actor=row.user, run=run, reason="x")
    advance(run.pk)
    newer = by_somebody(1)
    row.end(3, back=True)
    row.end(2, back=True)
    run.refresh_from_db()
    assert (row.states(), run.state) == (["stuck", "back", "back"], "failed")
    assert f"#{newer.pk}" in SetPart.objects.get(position=1).words
    assert DeployRequest.objects.filter(kind="rollback").count() == 2


def test_who_may_not_deliver_all_of_it_does_not_take_it_back(
    row: Row, other: User
) -> None:
    run = went_well(row)
    some = make_user("some")
    grant_on(some, MAY, row.before[0].project, row.before[1].project)
    reads = make_user("reads")
    grant_on(
        reads, set(MAY) - {"delivery.add_deploy"}, *(b.project for b in row.before)
    )
    for actor in (make_user("stranger"), some, reads):
        with pytest.raises(Forbidden):
            take_back(actor=actor, run=run, reason="x")
    limited: Any = other
    limited.token = SimpleNamespace(is_unlimited=False)
    with pytest.raises(Forbidden, match="token with limits"):
        take_back(actor=limited, run=run, reason="x")
    with pytest.raises(DomainError, match="why"):
        take_back(actor=row.user, run=run, reason=" ")
    assert nothing_happened(run)


def test_one_that_goes_on_and_one_with_a_newer_run_are_not_taken_back(row: Row) -> None:
    run = went_well(row)
    newer = row.start()
    for each in (newer, run):
        with pytest.raises(Conflict) as refused:
            take_back(actor=row.user, run=each, reason="x")
        assert refused.value.code == "goes_on"
    assert nothing_happened(run)
