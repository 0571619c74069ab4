"""Kill -9 of every part, one at a time: nothing else falls, pages say what is missing, and no sample is lost or doubled."""

import itertools
import json
import time
from typing import Any

import psutil
import pytest
import requests

from monitor.store import MetricStore
from tests.e2e.conftest import PASSWORD, Portal, planted, wait_until

pytestmark = [pytest.mark.xdist_group("portal")]

PARTS = ("agent", "worker", "runner", "beat", "valkey", "secantus", "web")


@pytest.fixture
def visitor(portal: Portal) -> requests.Session:
    """The administrator, without a browser."""
    portal.wait_ready()
    session = requests.Session()
    page = session.get(f"{portal.url}/accounts/sign-in/", timeout=10)
    token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[
        0
    ]
    data = {"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": token}
    answer = session.post(page.url, data, headers={"Referer": page.url}, timeout=10)
    assert answer.status_code == 200
    assert "sessionid" in session.cookies
    planted.add("session of the visitor", session.cookies["sessionid"])
    return session


@pytest.mark.parametrize("name", PARTS)
def test_a_killed_part_comes_back_and_takes_no_other_with_it(
    portal: Portal, visitor: Any, name: str
) -> None:
    others = {
        other: wait_until(f"a running {other}", lambda: _pid(portal, other), 40)  # noqa: B023 - asked at once
        for other in PARTS
    }
    killed = others.pop(name)
    psutil.Process(killed).kill()
    wait_until(f"a new {name}", lambda: _pid(portal, name) not in {None, killed}, 40)
    portal.wait_ready()
    assert {other: _pid(portal, other) for other in others} == others
    assert visitor.get(f"{portal.url}/cmdb/hosts/", timeout=20).status_code == 200


def _pid(portal: Portal, name: str) -> int | None:
    try:
        return portal.process(name).pid
    except LookupError:
        return None


def test_pages_say_that_the_metric_store_is_away_and_the_rest_goes_on(
    portal: Portal, visitor: Any
) -> None:
    store = portal.process("secantus")
    store.suspend()
    try:
        page = visitor.get(f"{portal.url}/monitor/fleet/", timeout=60)
        hosts = visitor.get(f"{portal.url}/cmdb/hosts/", timeout=20)
    finally:
        store.resume()
    assert page.status_code == 200
    assert "metric store does not answer" in page.text
    assert hosts.status_code == 200


def test_samples_of_an_outage_arrive_afterwards_each_once(
    portal: Portal, visitor: Any
) -> None:
    web = portal.process("web")
    before = time.time()
    web.suspend()
    try:
        taken = _wait_for_samples_in_the_spool(portal)
    finally:
        web.resume()
    wait_until(
        "the samples of the outage", lambda: _stored_since(portal, before) >= taken, 90
    )
    times = _stored_times(portal)
    assert len(times) == len(set(times))
    gaps = [
        later - earlier
        for earlier, later in itertools.pairwise(times)
        if later > before * 1000
    ]
    assert max(gaps) <= 25_000, (
        f"a hole of {max(gaps) / 1000:.0f} s between samples 15 s apart"
    )


def _wait_for_samples_in_the_spool(portal: Portal) -> int:
    spool = portal.folder / "agent" / "spool"

    def lines() -> int:
        return sum(
            file.read_bytes().count(b"\n")
            for file in spool.rglob("*")
            if file.is_file() and "seq" not in file.name
        )

    start = lines()
    wait_until("two samples in the spool", lambda: lines() >= start + 2, 60)
    return 2


def _stored_times(portal: Portal) -> list[int]:
    url = dict(
        line.split("=", 1)
        for line in (portal.folder / "run" / "services.env").read_text().splitlines()
        if "=" in line
    )["MONGO_URL"].strip("\"'")
    store = MetricStore(url)
    try:
        return sorted(
            sample.milliseconds
            for host_id in store.hosts()
            for sample in store.samples_of(host_id, 0, time.time() + 86400)
        )
    finally:
        store.close()


def _stored_since(portal: Portal, moment: float) -> int:
    return sum(when >= moment * 1000 for when in _stored_times(portal))


def test_ready_says_the_pids_of_the_parts(portal: Portal) -> None:
    ready = json.loads((portal.folder / "run" / "ready.json").read_text())
    assert ready["url"] == portal.url
    assert ready["username"] == "admin"
    assert {"web", "worker", "runner", "beat", "agent"} <= set(ready["pids"])
    assert (portal.folder / "run" / "ready.json").stat().st_mode & 0o077 == 0
