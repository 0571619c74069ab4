"""A real web process is killed with terminals open: what was printed is on record, no shell stays, and the rows say so in the end.

The long form is `make soak terminals`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm import SshFarm
from tests.simulation import terminal_kill as kill
from tests.simulation.terminal_page import OverError, Page
from tests.simulation.terminal_portal import Desk, LoneWeb

COUNT = 3
AWAY_SECONDS = 2


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    """A server of our own: what lives below it is counted."""
    with SshFarm(1, tmp_path_factory.mktemp("killed")) as made:
        yield made


@pytest.fixture
def web(tmp_path: Path) -> Iterator[LoneWeb]:
    made = LoneWeb(tmp_path, ADMINSET_TERMINAL_AWAY_SECONDS=str(AWAY_SECONDS))
    yield made
    made.stop()


@pytest.fixture
def desk(web: LoneWeb, farm: SshFarm) -> Desk:
    return web.prepare(farm)


async def printing(desk: Desk) -> list[Page]:
    pages = await kill.come(desk, COUNT)
    await kill.print_time(pages, 3.0)
    return pages


async def no_shells(farm: SshFarm, seconds: float) -> None:
    await asyncio.to_thread(
        kill.wait_for, "no shell", lambda: not kill.shells(farm), seconds
    )


def test_a_killed_web_process_loses_the_last_second_at_most_and_leaves_no_shell(
    web: LoneWeb, desk: Desk, farm: SshFarm
) -> None:
    async def scene() -> float:
        await printing(desk)
        web.kill()
        killed_at = time.time()
        await no_shells(farm, 10)
        return killed_at

    killed_at = asyncio.run(scene())
    missing = kill.missing(desk, killed_at)
    assert len(missing) == COUNT
    assert max(missing) < kill.MOST_MISSING
    desk.ask("age")
    assert desk.ask("reap")["lost"] == COUNT
    desk.ask("age")
    assert desk.ask("reap") == {"lost": 0, "sealed": COUNT}
    rows = desk.ask("rows")
    assert {(row["state"], row["recording"]) for row in rows} == {("lost", "sealed")}
    assert desk.ask("verdicts") == ["ok"] * COUNT
    trail = desk.ask("trail")
    assert (trail["terminal.lost"], trail["terminalsession.seal"]) == (COUNT, COUNT)


def test_the_next_web_process_serves_terminals_and_those_of_the_killed_one_are_over(
    web: LoneWeb, desk: Desk, farm: SshFarm
) -> None:
    async def scene() -> None:
        before = (await kill.come(desk, 1))[0]
        web.kill()
        web.start()
        page = (await kill.come(desk, 1))[0]
        await page.plain_shell()
        # Its ticket was used, and its process is gone.
        with pytest.raises(OverError):
            await before.come()
        await page.bye()
        await no_shells(farm, 10)

    asyncio.run(scene())


def test_the_shells_of_pages_that_are_gone_end_after_the_time_that_is_set(
    desk: Desk, farm: SshFarm
) -> None:
    async def scene() -> None:
        pages = await printing(desk)
        assert kill.shells(farm) >= COUNT
        for page in pages:
            page.drop()
        await no_shells(farm, AWAY_SECONDS + 8)

    asyncio.run(scene())
    # The host is left first, then all is written down.
    kill.wait_for(
        "the end", lambda: {row["state"] for row in desk.ask("rows")} == {"ended"}, 60
    )
    assert desk.ask("verdicts") == ["ok"] * COUNT
