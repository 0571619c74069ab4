"""Taking back a set that has ended, by its page and by a program: what goes back is said first, and by whom it may be."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from delivery.models import SetPart, SetRun
from tests.app_factories import grant_on
from tests.delivery.triggers.api_things import MAY, Api
from tests.delivery.triggers.set_things import Row, row
from tests.delivery.triggers.test_set_take_back import by_somebody, went_well
from tests.factories import make_user

__all__ = ["row"]
pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
SEES = (*MAY, "delivery.view_setrun", "delivery.view_releaseset")


@pytest.fixture
def run(row: Row) -> SetRun:
    return went_well(row)


def test_the_page_says_first_what_goes_back_in_which_order(
    client_of: Signed, row: Row, run: SetRun
) -> None:
    client, there = client_of(row.user), f"{run.get_absolute_url()}take-back/"
    assert there in client.get(run.get_absolute_url()).content.decode()
    page = client.get(there).content.decode()
    places = [page.index(f"{part}") for part in run.parts.order_by("-position")]
    assert places == sorted(places)
    assert all(one.release in page for one in row.before)
    assert "cannot be done" not in page
    assert client.post(there, {}).status_code == 422
    assert not AuditEntry.objects.filter(verb="releaseset.take_back").exists()
    done = client.post(there, {"reason": "orders are lost"})
    assert done["Location"] == run.get_absolute_url()
    assert client.post(there, {"reason": "orders are lost"}).status_code == 302
    assert AuditEntry.objects.filter(verb="releaseset.take_back").count() == 1
    page = client.get(run.get_absolute_url()).content.decode()
    assert "orders are lost" in page
    assert there not in page


def test_the_page_says_what_stands_in_the_way(
    client_of: Signed, row: Row, run: SetRun
) -> None:
    by_somebody(2)
    client, there = client_of(row.user), f"{run.get_absolute_url()}take-back/"
    assert "is not the newest any more" in client.get(there).content.decode()
    told = client.post(there, {"reason": "x"})
    assert told.status_code == 422
    assert "is not the newest any more" in told.content.decode()
    run.refresh_from_db()
    assert run.state == "ok"


def test_parts_that_stay_are_told_with_why(
    client_of: Signed, row: Row, run: SetRun
) -> None:
    SetPart.objects.filter(position=3).update(before=None)
    page = client_of(row.user).get(f"{run.get_absolute_url()}take-back/")
    assert "Nothing was live before" in page.content.decode()
    SetPart.objects.update(before=None)
    told = client_of(row.user).post(
        f"{run.get_absolute_url()}take-back/", {"reason": "x"}
    )
    assert "Nothing of it can be taken back" in told.content.decode()


def test_it_is_offered_to_those_only_who_may_deliver_all_of_it(
    client_of: Signed, row: Row, run: SetRun
) -> None:
    projects = [one.project for one in row.before]
    there = f"{run.get_absolute_url()}take-back/"
    for name, lacking, status in (
        ("reads", "delivery.add_deploy", 403),
        ("looks", "appconf.deploy_environment", 403),
    ):
        user = make_user(name)
        grant_on(user, set(SEES) - {lacking}, *projects)
        client = client_of(user)
        page = client.get(run.get_absolute_url())
        assert page.status_code == 200
        assert there not in page.content.decode()
        assert client.get(there).status_code == status
        refused = client.post(there, {"reason": "x"})
        assert refused.status_code == status
    some = make_user("some")
    grant_on(some, SEES, *projects[:2])
    assert client_of(some).post(there, {"reason": "x"}).status_code == 404
    run.refresh_from_db()
    assert (run.state, run.take_backs) == ("ok", 0)


def test_a_program_takes_it_back_once(row: Row, run: SetRun) -> None:
    api, path = Api(row.user), f"release-sets/runs/{run.pk}/take-back/"
    assert api.post(path).status_code == 422
    headers = {"Idempotency-Key": "one"}
    for replayed in (None, "true"):
        told = api.post(path, {"reason": "orders are lost"}, **headers)
        assert told.status_code == 200, told.content
        assert told.headers.get("Idempotent-Replayed") == replayed
        assert (told.json()["state"], told.json()["ended"]) == ("going_back", False)
    assert api.post(path, {"reason": "orders are lost"}).status_code == 200
    assert AuditEntry.objects.filter(verb="releaseset.take_back").count() == 1


def test_a_program_is_told_why_not(row: Row, run: SetRun) -> None:
    path = f"release-sets/runs/{run.pk}/take-back/"
    by_somebody(1)
    told = Api(row.user).post(path, {"reason": "x"})
    assert (told.status_code, told.json()["error"]["code"]) == (409, "newer")
    limited = Api(row.user, permissions=["delivery.add_deploy", "delivery.view_setrun"])
    assert limited.post(path, {"reason": "x"}).status_code == 403
    reader = make_user("reader")
    projects = [one.project for one in row.before]
    grant_on(reader, set(SEES) - {"delivery.add_deploy"}, *projects)
    assert Api(reader).post(path, {"reason": "x"}).status_code == 403
    some = make_user("some")
    grant_on(some, SEES, projects[0])
    assert Api(some).post(path, {"reason": "x"}).status_code == 404
    run.refresh_from_db()
    assert (run.state, run.take_backs) == ("ok", 0)
