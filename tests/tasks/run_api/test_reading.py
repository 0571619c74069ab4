"""Output by byte offset, what is new on many hosts, waiting for it; stopping, pausing and repeating."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from accounts.models import User
from tasks import output
from tasks.models import Run, RunHost
from tasks.run_api import waiting
from tests.tasks.engine_things import FakeLane, a_run, go_on
from tests.tasks.run_api.api_things import Api, error_of

pytestmark = pytest.mark.django_db


def wrote(run: Run, host: RunHost, text: bytes) -> None:
    """Append to the output of a host, as a lane does."""
    path = output.path_of(run.pk, host.pk)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(text)


@pytest.fixture
def run(admin: User) -> Run:
    made = a_run(admin, 2)
    made.hosts.update(status="running")
    return made


def end(run: Run, host: RunHost | None = None) -> None:
    """End a host, or the run with all of them."""
    rows = run.hosts.filter(pk=host.pk) if host else run.hosts.all()
    rows.update(status="ok", exit_code=0, explanation="Fine.")
    if host is None:
        Run.objects.filter(pk=run.pk).update(status="ok")


def test_an_output_is_read_on_by_bytes(api: Api, run: Run) -> None:
    host = run.hosts.get(host_name="h1")
    wrote(run, host, "主机".encode()[:4])
    first = api.get(f"{run.pk}/output/", host="h1").json()
    # The half character waits for its rest.
    assert (first["text"], first["next_offset"], first["ended"]) == ("主", 3, False)
    wrote(run, host, "主机\n".encode()[4:])
    end(run)
    rest = api.get(f"{run.pk}/output/", host=host.pk, offset=3).json()
    assert (rest["text"], rest["next_offset"], rest["ended"]) == ("机\n", 7, True)
    done = api.get(f"{run.pk}/output/", host=host.pk, offset=7, wait=5).json()
    assert (done["text"], done["ended"]) == ("", True)


@pytest.mark.parametrize(
    "query",
    [{"offset": "-1"}, {"offset": "²"}, {"offset": "9" * 30}, {"wait": "31"}],
)
def test_places_that_cannot_be_are_refused(
    api: Api, run: Run, query: dict[str, str]
) -> None:
    answer = api.get(f"{run.pk}/output/", host="h1", **query)
    assert next(iter(query)) in error_of(answer)["fields"]


@pytest.mark.parametrize("wait", ["nan", "inf", "-1", "x"])
def test_a_wait_that_is_none_is_refused(api: Api, run: Run, wait: str) -> None:
    assert (
        "wait" in error_of(api.get(f"{run.pk}/output/", host="h1", wait=wait))["fields"]
    )


def test_who_waits_is_told_when_something_comes(api: Api, run: Run) -> None:
    host = run.hosts.get(host_name="h1")
    later = threading.Timer(0.4, wrote, (run, host, b"late\n"))
    later.start()
    begun = time.monotonic()
    told = api.get(f"{run.pk}/output/", host="h1", wait=20).json()
    assert told["text"] == "late\n"
    assert 0.3 < time.monotonic() - begun < 5
    assert waiting._waiting == 0


def test_nobody_waits_where_too_many_do(api: Api, run: Run, settings: Any) -> None:
    settings.RUN_API_WAITERS = 0
    begun = time.monotonic()
    assert api.get(f"{run.pk}/output/", host="h1", wait=20).json()["text"] == ""
    assert time.monotonic() - begun < 2


def test_many_hosts_are_followed_at_once_and_from_where_one_was(
    api: Api, run: Run
) -> None:
    one, two = run.hosts.order_by("host_name")
    wrote(run, one, b"a1\n")
    first = api.post(f"{run.pk}/follow/").json()
    assert [(p["host"], p["text"]) for p in first["pieces"]] == [(one.pk, "a1\n")]
    assert {h["host_name"]: h["status"] for h in first["hosts"]} == {
        "h1": "running",
        "h2": "running",
    }
    places = {str(row.pk): {"offset": 0, "status": "running"} for row in (one, two)}
    places[str(one.pk)]["offset"] = 3
    wrote(run, one, b"a2\n")
    wrote(run, two, b"b1\n")
    end(run, two)
    news = api.post(f"{run.pk}/follow/", {"hosts": places}).json()
    # Of which least was read comes first.
    assert [(p["host"], p["offset"], p["text"]) for p in news["pieces"]] == [
        (two.pk, 0, "b1\n"),
        (one.pk, 3, "a2\n"),
    ]
    assert [(h["id"], h["status"]) for h in news["hosts"]] == [(two.pk, "ok")]
    end(run)
    places[str(one.pk)] = {"offset": 6, "status": "running"}
    places[str(two.pk)] = {"offset": 3, "status": "ok"}
    last = api.post(f"{run.pk}/follow/", {"hosts": places, "wait": 20}).json()
    assert (last["run"]["ended"], last["run"]["status"], last["more"]) == (
        True,
        "ok",
        False,
    )
    assert last["pieces"] == []
    assert [h["id"] for h in last["hosts"]] == [one.pk]


def test_a_long_output_comes_in_pieces_before_its_host_is_told_as_ended(
    api: Api, run: Run
) -> None:
    host = run.hosts.get(host_name="h1")
    wrote(run, host, b"x" * 100_000)
    end(run)
    place, text, rounds = {"offset": 0, "status": "running"}, "", 0
    while True:
        news = api.post(f"{run.pk}/follow/", {"hosts": {str(host.pk): place}}).json()
        mine = [p for p in news["pieces"] if p["host"] == host.pk]
        text += "".join(p["text"] for p in mine)
        place["offset"] += sum(len(p["text"]) for p in mine)
        rounds += 1
        if any(h["id"] == host.pk for h in news["hosts"]):
            break
        assert news["more"]
        assert rounds < 10
    assert text == "x" * 100_000
    assert rounds == 2


@pytest.mark.parametrize(
    "body",
    [
        {"hosts": []},
        {"hosts": {"x": {}}},
        {"hosts": {"1": 3}},
        {"hosts": {"1": {"offset": -1}}},
        {"hosts": {"1": {"offset": True}}},
        {"whole": "x"},
        {"wait": [1]},
        {"wait": True},
    ],
)
def test_what_is_no_place_is_refused(api: Api, run: Run, body: Any) -> None:
    answer = api.post(f"{run.pk}/follow/", body)
    assert answer.status_code == 200 if body == {"hosts": []} else error_of(answer)


def test_the_hosts_of_a_run_are_listed_by_status(api: Api, run: Run) -> None:
    end(run, run.hosts.get(host_name="h1"))
    rows = api.get(f"{run.pk}/hosts/", status="ok").json()
    assert [(r["host_name"], r["exit_code"]) for r in rows["results"]] == [("h1", 0)]
    both = api.get(f"{run.pk}/hosts/", status=["ok", "running"], page_size=1).json()
    assert (both["count"], len(both["results"])) == (2, 1)
    assert "status" in error_of(api.get(f"{run.pk}/hosts/", status="x"))["fields"]


def test_a_run_is_paused_resumed_cancelled_and_repeated(
    api: Api, admin: User, fake_lane: FakeLane
) -> None:
    run = a_run(admin, 2)
    assert api.post(f"{run.pk}/pause/").json()["status"] == "paused"
    assert error_of(api.post(f"{run.pk}/pause/"), 409)["code"] == "not_running"
    assert api.post(f"{run.pk}/resume/").json()["status"] == "queued"
    fake_lane.ends["h2"] = "failed"
    assert go_on(run).status == "failed"
    assert error_of(api.post(f"{run.pk}/cancel/"), 409)["code"] == "not_running"
    again = api.post(f"{run.pk}/repeat/", {"hosts": ["failed"]})
    assert (again.status_code, again.json()["host_count"]) == (201, 1)
    assert (
        api.post(f"{run.pk}/repeat/", {"hosts": ["not_ok"]}).json()["host_count"] == 1
    )
    assert api.post(f"{run.pk}/repeat/").json()["host_count"] == 2
    assert error_of(api.post(f"{run.pk}/repeat/", {"hosts": ["some"]}))["message"]
    stopped = api.post(f"{again.json()['id']}/cancel/").json()
    assert (stopped["status"], stopped["ended"]) == ("cancelled", True)
