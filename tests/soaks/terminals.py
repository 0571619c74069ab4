"""`make soak terminals`: kill -9 of the web process with 20 terminals open, and pages that are gone without a word.

ADMINSET_SOAK_TERMINALS (20). The whole portal runs as `make up` starts it: the launcher brings the web process back, the
workers say what became of the sessions and seal the recordings.
"""

import asyncio
import time

from tests.bench.figures import Figure
from tests.e2e.conftest import Portal
from tests.farm import SshFarm, throw_away_user
from tests.simulation import terminal_kill as kill
from tests.simulation.servers import whole
from tests.simulation.terminal_portal import Desk
from tests.soaks.record import conclude, say, setting, workplace

PRINTING_SECONDS = 10.0
# A kept shell (ADMINSET_TERMINAL_AWAY_SECONDS), and a little for a busy machine.
AWAY_SECONDS = 60
SHELLS_SECONDS = AWAY_SECONDS + 15
# A lease runs out, the reaper comes, a minute's grace, the sealer comes.
SEALED_SECONDS = 240
HOPED = {"state": "lost", "recording": "sealed"}


def main() -> int:
    """Run it; 0 when nothing but the last second is lost, and nothing stays behind."""
    count = int(setting("TERMINALS", 20))
    with workplace() as folder, workplace() as place, throw_away_user() as (user, _):
        place.chmod(0o711)
        room = {"ADMINSET_TERMINAL_USER_MOST": str(2 * count)}
        with (
            SshFarm(1, place / "farm", user=user) as farm,
            whole(folder, 0, **room) as (_server, portal),
        ):
            own = {"DJANGO_SETTINGS_MODULE": "adminset.settings"}
            desk = Desk(portal.port, portal.environment() | own)
            try:
                desk.settle(farm)
                say(f"{count} terminals, kill -9 of the web process ...")
                figures, faults = _killed(desk, portal, farm, count)
                say(f"{count} terminals, their pages go without a word ...")
                more, left = asyncio.run(_gone(desk, farm, count))
            finally:
                desk.close()
    return conclude(f"{count} terminals", [*figures, *more], faults + left)


def _killed(
    desk: Desk, portal: Portal, farm: SshFarm, count: int
) -> tuple[list[Figure], int]:
    killed_at = asyncio.run(_kill_amid(desk, portal, count))
    left, gone = _wait(farm, SHELLS_SECONDS)
    missing = kill.missing(desk, killed_at)
    late = sum(each > kill.MOST_MISSING for each in missing)
    portal.wait_ready()
    unsealed = _unsealed(desk)
    bad = sum(verdict != "ok" for verdict in desk.ask("verdicts"))
    goal = "1 s and what the machine is late"
    figures = [
        Figure("recordings read", len(missing), "recordings"),
        Figure("missing at the end, the most", max(missing), "s", goal),
        Figure("missing at the end, the least", min(missing), "s"),
        Figure("all remote shells gone after the kill", gone, "s"),
        Figure("remote processes left behind", left, "processes", "0"),
        Figure("sessions not told as lost, or not sealed", unsealed, "sessions", "0"),
        Figure("recordings other than the trail has sealed", bad, "recordings", "0"),
    ]
    wrong = abs(len(missing) - count)
    return figures, late + left + unsealed + bad + wrong


async def _kill_amid(desk: Desk, portal: Portal, count: int) -> float:
    """Kill the web process while all shells print; give the moment."""
    pages = await kill.come(desk, count)
    await kill.print_time(pages, PRINTING_SECONDS)
    portal.process("web").kill()
    return time.time()


def _wait(farm: SshFarm, seconds: float) -> tuple[int, float]:
    """Wait until no shell is left; give how many are, and how long it took."""
    try:
        return 0, kill.wait_for("no shell", lambda: not kill.shells(farm), seconds)
    except TimeoutError:
        return kill.shells(farm), seconds


def _unsealed(desk: Desk) -> int:
    """Wait for the workers to say what became of the sessions; give how many stand otherwise."""

    def others() -> int:
        return sum(not HOPED.items() <= row.items() for row in desk.ask("rows"))

    until = time.monotonic() + SEALED_SECONDS
    while (count := others()) and time.monotonic() < until:
        time.sleep(5)
    return count


async def _gone(desk: Desk, farm: SshFarm, count: int) -> tuple[list[Figure], int]:
    """Open terminals in the process that came back; their pages vanish, and the shells have to after a minute."""
    pages = await kill.come(desk, count)
    await kill.print_time(pages, 1.0)
    for page in pages:
        page.drop()
    left, gone = await asyncio.to_thread(_wait, farm, SHELLS_SECONDS)
    figures = [
        Figure("all remote shells gone after their pages", gone, "s", "60 s"),
        Figure("remote processes left behind by pages", left, "processes", "0"),
    ]
    return figures, left
