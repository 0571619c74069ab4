"""From a commit to two real hosts and back, in a real browser: plan, approval, canary, bad health, rollback by itself, mending, history, difference."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Portal
from tests.e2e.delivery_steps import (
    Repository,
    add_approver,
    add_environment,
    add_pipeline,
    add_project,
    approve,
    ask_for,
    own_folders,
    wait_for,
)
from tests.e2e.steps import PATIENCE, add_two_hosts
from tests.farm import SshFarm, why_not

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("portal"),
    pytest.mark.timeout(570),
]
HOSTS = ("anvil", "bellows")
PERSON, PASSWORD = "smith", "the word of the second smith 4711"
BUILD = 'printf "%s, built" "$(cat word)" > made'
HEALTH = 'grep -q well "$ADMINSET_ROOT/current/made"'


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SshFarm, Path]]:
    """Two hosts with folders of their own."""
    if why_not():
        pytest.skip(why_not())
    with own_folders(2, tmp_path_factory.mktemp("delivered")) as found:
        yield found


def live(farm: SshFarm) -> list[str]:
    """Give what the file `made` says in what is live on each host; "" where nothing is."""
    files = [one.directory / "own" / "shop" / "current" / "made" for one in farm.hosts]
    return [file.read_text() if file.exists() else "" for file in files]


def test_from_a_commit_to_every_host_and_back(
    signed_in: Any,
    browser: Any,
    portal: Portal,
    places: tuple[SshFarm, Path],
    tmp_path: Path,
) -> None:
    page, (farm, place) = signed_in, places
    repository = Repository(tmp_path / "shop")
    repository.commit("The first offer", word="well")
    add_two_hosts(page, farm, HOSTS)
    server = farm.hosts[0]
    address = f"ssh://{server.address}:{server.port}{repository.folder}"
    add_project(page, address, f"login of {HOSTS[0]}", f"{place}/shop")
    add_environment(page, "production", HOSTS)
    add_pipeline(page, BUILD, HEALTH)
    add_approver(page, PERSON, PASSWORD)

    def deliver(reason: str, status: str) -> str:
        asked = ask_for(page, "main", reason)
        wait_for(page, "waiting_approval")
        assert page.get_by_text("Approve or refuse").count() == 0
        approve(browser, portal, asked, PERSON, PASSWORD)
        wait_for(page, status)
        return asked

    deliver("The first offer", "ok")
    assert live(farm) == ["well, built"] * 2
    first = [one.directory / "own" / "shop" / "current" for one in farm.hosts]
    was = [str(link.readlink()) for link in first]

    repository.commit("A broken one", word="ill")
    broken = deliver("A bolder offer", "rolled_back")
    text = page.inner_text("#deploy-state")
    assert "taken back" in text
    assert "left as it was" in text
    assert live(farm) == ["well, built"] * 2
    assert [str(link.readlink()) for link in first] == was

    commit = repository.commit("Mended", word="well again", extra="more")
    deliver("The bolder offer, mended", "ok")
    assert live(farm) == ["well again, built"] * 2

    _history(page, broken)
    _difference(page, commit)
    _live_page(page)
    _figures(page)
    _roll_back(page)
    assert live(farm) == ["well, built"] * 2
    assert page.complaints == []


def _history(page: Any, broken: str) -> None:
    page.goto("/delivery/deploys/")
    rows = page.locator("tbody tr").all_inner_texts()
    told = [("failed, taken back" in row, "mended" in row) for row in rows]
    assert told == [(False, True), (True, False), (False, False)]
    assert all("admin" in row for row in rows)
    page.goto(broken)
    page.locator("tr[data-step=activate] a:has-text('Log')").first.click()
    page.wait_for_selector("#output [data-text] >> text=health")


def _difference(page: Any, commit: str) -> None:
    page.goto("/delivery/artefacts/")
    page.locator("tbody td.first a").first.click()
    page.click("text=Compare")
    page.wait_for_selector("text=Mended")
    assert commit[:10] in page.inner_text("main")
    page.click("a:has-text('made')")
    page.wait_for_selector("text=well again, built")


def _live_page(page: Any) -> None:
    page.goto("/delivery/live/")
    page.click("text=Shop / production")
    page.wait_for_selector("text=as it should be")
    text = page.inner_text("main")
    assert all(name in text for name in HOSTS)


def _figures(page: Any) -> None:
    page.goto("/delivery/figures/")
    text = page.inner_text("main")
    assert "1 of 3 that reached hosts" in text
    assert "Shop" in text


def _roll_back(page: Any) -> None:
    page.goto("/delivery/live/")
    page.click("text=Shop / production")
    page.click("a:has-text('Roll back')")
    page.fill("[name=reason]", "The shop is slow")
    page.click("main form button.btn-primary")
    page.wait_for_selector("#deploy-state", timeout=PATIENCE)
    wait_for(page, "ok")
