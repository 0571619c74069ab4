"""A host that was taken out of the balancer comes back, or says that it is out: however its program ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.onhost import told
from delivery.onhost.programs import program
from tasks.legs.reading import HostReport
from tests.delivery.onhost.host_things import Box, Said, make_pack, said

NOTE = 'echo "$ADMINSET_STAGE" >>"$ADMINSET_ROOT/notes"'
HOOKS = {
    "AS_BEFORE_SWITCH": NOTE,
    "AS_DRAIN": NOTE,
    "AS_RESTART": NOTE,
    "AS_HEALTH": "command",
    "AS_HEALTH_TARGET": NOTE,
    "AS_AFTER_SWITCH": NOTE,
    "AS_BACK": NOTE,
}
SLEEPS = f"{NOTE}; sleep 307"


@pytest.fixture
def ready(box: Box) -> Box:
    """A host with release 1-a live and 2-b received."""
    box.deliver(make_pack({"app": b"1"}), "1-a", AS_DEPLOY=1)
    assert box.run("claim").code == 0
    assert box.receive(make_pack({"app": b"2"}), "2-b").code == 0
    box.values |= {"AS_RELEASE": "2-b", "AS_ALONE_SECONDS": "20"} | HOOKS
    return box


def notes(box: Box) -> list[str]:
    """Give the hooks that ran, and forget them."""
    file = box.root / "notes"
    ran = file.read_text().split() if file.exists() else []
    file.unlink(missing_ok=True)
    return ran


def begun(box: Box, stage: str, **values: str) -> subprocess.Popen[bytes]:
    """Begin to activate, and wait until a hook is at work."""
    process = subprocess.Popen(
        [*box.shell, "-c", program("activate")],
        env=box.environment(values),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    file = box.root / "notes"
    wait_for(lambda: file.exists() and file.read_text().split()[-1:] == [stage])
    return process


def wait_for(has_come: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not has_come():
        assert time.monotonic() < end
        time.sleep(0.02)


def ended(process: subprocess.Popen[bytes], number: int) -> Said:
    """Send a signal to the program alone, and hear what it said to its end."""
    process.send_signal(number)
    process.wait(timeout=60)
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    # A hook that outlived a kill still holds the pipe.
    heard = said(process.returncode, process.stdout.read() or b"")
    process.stdout.close()
    return heard


def kill_hooks(box: Box) -> None:
    """End what a killed program left behind, as the portal does."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            inside = str((folder / "cwd").readlink()).startswith(str(box.root))
        except OSError:
            continue
        if inside:
            os.kill(int(folder.name), signal.SIGKILL)


def state(box: Box) -> told.HostState:
    report = HostReport(1, "web1", "ok", 0, "", box.run("read").told)
    return told.state(report)


def test_ended_while_it_is_taken_out_it_comes_back_with_what_it_had(ready: Box) -> None:
    heard = ended(begun(ready, "drain", AS_DRAIN=SLEEPS), signal.SIGTERM)
    assert heard.code == 143, heard
    assert notes(ready) == ["before_switch", "drain", "back"]
    assert (heard.told["live"], heard.told["drained"]) == ("1-a", "")
    assert (state(ready).live, state(ready).drained) == ("1-a", False)
    inside = [
        p for p in Path("/proc").glob("[0-9]*/cwd") if str(ready.root) in _leads(p)
    ]
    assert not inside
    assert ready.run("activate").code == 0


def _leads(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def test_killed_while_it_is_taken_out_it_says_so_and_going_back_returns_it(
    ready: Box,
) -> None:
    heard = ended(begun(ready, "drain", AS_DRAIN=SLEEPS), signal.SIGKILL)
    kill_hooks(ready)
    assert heard.told["drained"] == "1"
    assert notes(ready) == ["before_switch", "drain"]
    assert (ready.root / ".adminset/drained").read_text().split() == ["17", "1-a"]
    assert (state(ready).live, state(ready).drained) == ("1-a", True)
    back = ready.run("switch_back", AS_TO="1-a")
    assert (back.code, back.told["live"], back.told["drained"]) == (0, "1-a", "")
    assert notes(ready) == ["restart", "health", "after_switch", "back"]
    assert not state(ready).drained


def test_ended_while_nobody_listens_it_comes_back_too(ready: Box) -> None:
    process = begun(
        ready, "drain", AS_DRAIN=SLEEPS, AS_BACK=f"echo it comes back; {NOTE}"
    )
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    assert notes(ready) == ["before_switch", "drain", "back"]
    assert not state(ready).drained


def test_ended_after_the_switch_it_stays_out_until_it_went_back(ready: Box) -> None:
    heard = ended(begun(ready, "restart", AS_RESTART=SLEEPS), signal.SIGTERM)
    assert heard.code == 143
    assert notes(ready) == ["before_switch", "drain", "restart"]
    assert (state(ready).live, state(ready).drained) == ("2-b", True)
    back = ready.run("switch_back", AS_TO="1-a")
    assert (back.code, state(ready).live, state(ready).drained) == (0, "1-a", False)
    assert notes(ready)[-1] == "back"


def test_where_nobody_listens_any_more_it_comes_back(ready: Box) -> None:
    waits = f"{NOTE}; until [ -f ../../cut ]; do sleep 0.1; done"
    talks = f"echo it comes back; {NOTE}"
    process = begun(ready, "drain", AS_DRAIN=waits, AS_BACK=talks)
    assert process.stdout is not None
    process.stdout.close()
    (ready.root / "cut").touch()
    process.wait(timeout=60)
    assert notes(ready) == ["before_switch", "drain", "back"]
    assert (state(ready).live, state(ready).drained) == ("1-a", False)


def test_ended_on_its_way_back_it_stays_out_where_nobody_knows_how_well_it_is(
    ready: Box,
) -> None:
    ended(begun(ready, "drain", AS_DRAIN=SLEEPS), signal.SIGKILL)
    kill_hooks(ready)
    notes(ready)
    told_of = {"AS_RELEASE": "1-a", "AS_RESTART": SLEEPS}
    heard = ended(begun(ready, "restart", **told_of), signal.SIGTERM)
    assert heard.told["drained"] == "1"
    assert notes(ready) == ["restart"]
    assert ready.run("activate", AS_RELEASE="9-z").told["drained"] == "1"
    assert ready.run("switch_back", AS_TO="1-a").code == 0
    assert not state(ready).drained


@pytest.mark.parametrize("hook", ["AS_RESTART", "AS_BACK"])
def test_whoever_is_not_well_stays_out_and_says_so(ready: Box, hook: str) -> None:
    done = ready.run("activate", **{hook: "exit 3"})
    assert (done.told["switched"], done.told["drained"]) == ("yes", "1")
    assert told.switched(HostReport(1, "web1", "failed", 77, "", done.told)).drained
    assert state(ready).drained
    assert ready.run("activate").code == 0
    assert not state(ready).drained


def test_a_return_that_fails_is_told_beside_why_nothing_was_switched(
    ready: Box,
) -> None:
    done = ready.run("activate", AS_DRAIN="exit 4", AS_BACK="exit 5")
    assert (done.code, done.told["switched"], done.told["drained"]) == (74, "no", "1")
    assert "drain ended with exit code 4" in done.told["why"]
    assert "still out of it" in done.told["why"]
    # A deploy that may not even begin takes it in again: what is live is as well as it was.
    refused = ready.run("activate", AS_RELEASE="9-z")
    assert (refused.code, refused.told["drained"]) == (74, "")
    assert notes(ready)[-1] == "back"


def test_a_way_without_a_balancer_leaves_the_mark(ready: Box) -> None:
    ended(begun(ready, "drain", AS_DRAIN=SLEEPS), signal.SIGKILL)
    kill_hooks(ready)
    done = ready.run("activate", AS_DRAIN="", AS_BACK="")
    assert (done.code, done.told["drained"]) == (0, "1")
    assert state(ready).drained


@pytest.mark.parametrize("hook", ["AS_RESTART", "AS_HEALTH_TARGET"])
def test_whoever_is_ill_goes_back_though_it_cannot_be_taken_out_twice(
    ready: Box, hook: str
) -> None:
    assert ready.run("activate", **{hook: "exit 3"}).told["drained"] == "1"
    notes(ready)
    # Forward once more, a gate before the switch fails: what is ill does not serve.
    third = {"AS_RELEASE": "1-a", "AS_BEFORE_SWITCH": "exit 1", "AS_DEPLOY": 17}
    assert ready.run("activate", **third).told["drained"] == "1"
    ill = ready.run("switch_back", AS_TO="1-a", AS_DRAIN="exit 1", **{hook: "exit 3"})
    assert (ill.told["live"], ill.told["drained"]) == ("1-a", "1")
    assert "back" not in notes(ready)
    assert state(ready).drained
    well = ready.run("switch_back", AS_TO="1-a", AS_DRAIN="exit 1")
    assert (well.code, well.told["drained"], notes(ready)[-1]) == (0, "", "back")


def test_ended_in_the_drain_of_its_way_back_what_is_ill_stays_out(ready: Box) -> None:
    assert ready.run("activate", AS_RESTART="exit 3").code == 77
    notes(ready)
    again = {"AS_RELEASE": "1-a", "AS_DRAIN": SLEEPS}
    heard = ended(begun(ready, "drain", **again), signal.SIGTERM)
    assert (heard.code, heard.told["live"], heard.told["drained"]) == (143, "2-b", "1")
    assert notes(ready) == ["before_switch", "drain"]
    assert state(ready).drained


def test_a_host_on_which_nothing_is_live_comes_into_no_balancer(
    ready: Box,
) -> None:
    (ready.root / "current").unlink()
    done = ready.run("activate", AS_DRAIN="exit 1")
    assert (done.code, done.told["switched"], done.told["drained"]) == (74, "no", "1")
    assert notes(ready) == ["before_switch"]
