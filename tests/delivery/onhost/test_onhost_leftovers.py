"""What killed programs and cleared releases leave on a host, and what programs of ours start under."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from delivery.onhost.programs import program
from tests.delivery.onhost.host_things import Box, make_pack

PACK = make_pack({"app": b"1"})
# Whoever comes right after the stale name was judged takes the turn before it is cleared away.
OTHER = """
rm() {
  case $* in *.adminset/busy/* | *.adminset/gone*)
    unset -f rm
    command rm -rf .adminset/busy
    mkdir .adminset/busy && : >".adminset/busy/$OTHER_PID.$OTHER_BORN"
    printf '%s\\n' "$OTHER_PID $OTHER_BORN" >.adminset/busy/born
  esac
  command rm "$@"
}
"""


def born() -> str:
    stat = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(") ")[2]
    return stat.split()[19]


def test_a_program_that_clears_a_dead_one_away_leaves_who_came_meanwhile(
    box: Box,
) -> None:
    assert box.run("claim").code == 0
    stale = box.root / ".adminset/busy"
    stale.mkdir()
    (stale / "born").write_text("999999 1\n")
    (stale / "999999.1").touch()
    first, last = program("claim").rsplit("\nalone\n", 1)
    text = f"{first}\n{OTHER}\nalone\n{last}"
    done = box.run("claim", text=text, OTHER_PID=os.getpid(), OTHER_BORN=born())
    assert done.code == 75, done
    assert (stale / f"{os.getpid()}.{born()}").exists()
    assert "at work" in done.told["why"]


def test_what_a_killed_program_left_keeps_nobody_waiting(box: Box) -> None:
    assert box.run("claim").code == 0
    (box.root / ".adminset/busy").mkdir()
    (box.root / ".adminset/busy/999999.1").touch()
    assert box.run("claim").code == 0
    assert not (box.root / ".adminset/busy").exists()


def test_a_good_mark_is_gone_before_its_release(box: Box) -> None:
    for number in range(1, 4):
        pack = make_pack({"app": str(number).encode()})
        box.deliver(pack, f"{number}-a", AS_DEPLOY=17, AS_KEEP=9)
    assert box.run("claim").code == 0
    killed = 'mv() { case $* in *.gone.1-a*) command mv "$@"; kill -9 $$ ;; esac; command mv "$@"; }\n'
    done = box.run(
        "finish", text=killed + program("finish"), AS_KEEP=1, AS_RELEASE="3-a"
    )
    assert done.code == -9, done
    assert not (box.root / "releases/1-a").exists()
    assert not (box.root / ".adminset/good/1-a").exists()


def test_whoever_finished_and_was_not_heard_finishes_once_more(box: Box) -> None:
    for number in (1, 2, 3):
        pack = make_pack({"app": str(number).encode()})
        box.deliver(pack, f"{number}-a", AS_DEPLOY=number, AS_KEEP=9)
    told: dict[str, Any] = {"AS_RELEASE": "2-a", "AS_DEPLOY": 17, "AS_KEEP": 1}
    assert box.run("claim", **told).code == 0
    # The release was good long before this deploy.
    assert box.run("switch_back", AS_TO="2-a", **told).code == 0
    first = box.run("finish", **told)
    again = box.run("finish", **told)
    assert (first.code, again.code, again.told["done"]) == (0, 0, "yes")
    assert again.told["removed"] == first.told["removed"] == "1-a"
    assert not (box.root / ".adminset/busy").exists()
    others = [{"AS_DEPLOY": 18}, {"AS_RELEASE": "3-a"}]
    assert [box.run("finish", **(told | one)).code for one in others] == [75, 75]
    assert box.run("claim", AS_DEPLOY=18).code == 0
    assert box.run("finish", **told).code == 75


def test_what_comes_under_the_name_of_a_good_mark_is_not_good_yet(box: Box) -> None:
    box.deliver(PACK, "1-a")
    assert box.run("claim").code == 0
    mark = box.root / ".adminset/good/2-b"
    mark.write_text("long ago\n")
    assert box.receive(make_pack({"app": b"2"}), "2-b").code == 0
    assert (box.root / "releases/2-b").is_dir()
    assert not mark.exists()


def test_no_program_of_ours_starts_under_the_variables_of_a_hook(box: Box) -> None:
    """A loader or a shell that reads them would run what they say, before the hook and beside its time-out."""
    box.deliver(PACK, "1-a")
    assert box.run("claim").code == 0
    spy = box.root.parent / "bin"
    spy.mkdir()
    (spy / "timeout").write_text(
        '#!/bin/sh\nenv >"$SPY"\nshift 3\nexec "$@"\n'.replace("$SPY", str(spy / "saw"))
    )
    (spy / "timeout").chmod(0o755)
    told: dict[str, Any] = {"AS_VARS": 1, "AS_N_1": "LD_PRELOAD_LIKE", "AS_V_1": "x"}
    path = f"{spy}:{os.environ['PATH']}"
    text = 'test "$LD_PRELOAD_LIKE" = x'
    done = box.run("command", AS_COMMAND=text, PATH=path, **told)
    assert done.code == 0, done
    saw = (spy / "saw").read_text().splitlines()
    assert not [line for line in saw if line.startswith("LD_PRELOAD_LIKE=")]
