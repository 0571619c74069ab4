"""A set that has ended is taken back by two people at the same moment, or while it is started again: on a real database."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import User
from adminset.models import AuditEntry
from delivery.models import SetRun
from delivery.releasesets.starting import start_set
from delivery.releasesets.taking_back import take_back
from tests.delivery.triggers.set_things import Row, row
from tests.delivery.triggers.test_at_once import together
from tests.delivery.triggers.test_set_take_back import went_well

__all__ = ["row"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _real() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite in memory is one connection")


def test_two_who_take_it_back_at_once_do_it_once(row: Row, admin: User) -> None:
    run = went_well(row)
    both = ("first", "second")
    ends = together(
        *(
            lambda reason=reason: take_back(actor=admin, run=run, reason=reason)
            for reason in both
        )
    )
    assert ends == ["done", "done"]
    run.refresh_from_db()
    assert (run.state, run.take_backs) == ("going_back", 1)
    assert AuditEntry.objects.filter(verb="releaseset.take_back").count() == 1


def test_it_is_not_started_again_while_it_is_taken_back(row: Row, admin: User) -> None:
    run = went_well(row)
    ends = together(
        lambda: take_back(actor=admin, run=run, reason="bad"),
        lambda: start_set(actor=admin, release_set=row.release_set, reason="again"),
    )
    assert ends == ["done", "goes_on"]
    assert SetRun.objects.filter(state__in=SetRun.OPEN).count() == 1
