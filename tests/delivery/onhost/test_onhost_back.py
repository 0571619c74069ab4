"""Going back on a host, bad releases, and which earlier ones stay; in both shells."""

from __future__ import annotations

import subprocess
import sys

from tests.delivery.onhost.host_things import Box, log_of, make_pack


def two_releases(box: Box) -> None:
    """Deliver 1-x, then 2-x, and take the lock."""
    for number in (1, 2):
        pack = make_pack({"app": str(number).encode()})
        box.deliver(pack, f"{number}-x", AS_DEPLOY=number)
    box.run("claim")


def test_going_back_is_the_switch_only(box: Box) -> None:
    two_releases(box)
    back = box.run("switch_back", AS_TO="1-x")
    assert (back.code, back.told["live"], back.told["switched"]) == (0, "1-x", "yes")
    assert box.live == "1-x"
    assert box.run("finish", AS_WORD="rolled back", AS_RELEASE="1-x").code == 0
    assert log_of(box)[-2:] == ["switched back: 2-x -> 1-x", "rolled back: 2-x -> 1-x"]
    assert box.run("read").told["bad"] == ""


def test_what_somebody_marked_as_bad_is_switched_to_by_nobody_but_the_way_back(
    box: Box,
) -> None:
    two_releases(box)
    marked = box.run("mark", AS_RELEASE="1-x", AS_REASON="it\nbroke", AS_DEPLOY=0)
    assert (marked.code, marked.told["marked"]) == (0, "yes")
    assert "it broke" in (box.root / ".adminset/bad/1-x").read_text()
    for program in ("activate", "switch_back"):
        no = box.run(program, AS_RELEASE="1-x", AS_TO="1-x")
        assert (no.code, no.told["switched"], box.live) == (74, "no", "2-x")
        assert "marked as bad" in no.told["why"]
    assert box.run("check", AS_RELEASE="1-x").told["check_release"].startswith("fail")
    # What was live before a deploy that failed is better than what failed.
    assert box.run("switch_back", AS_TO="1-x", AS_BAD_TOO=1).code == 0
    assert box.run("mark", AS_RELEASE="1-x", AS_GOOD_AGAIN=1, AS_DEPLOY=0).code == 0
    assert box.run("read").told["bad"] == ""
    words = [line.split(":")[0] for line in log_of(box)]
    assert words[-3:] == ["marked bad", "switched back", "no longer bad"]


def test_what_failed_once_is_marked_and_may_be_tried_again_by_name(box: Box) -> None:
    two_releases(box)
    back = box.run("switch_back", AS_TO="1-x", AS_MARK_BAD=1)
    assert (back.code, box.run("read").told["bad"]) == (0, "2-x")
    # Nobody chooses it: 1-x stays.
    assert box.run("switch_back", AS_DEPLOY=17).told["live"] == "1-x"
    assert box.run("activate", AS_RELEASE="2-x").code == 0
    assert box.run("finish", AS_RELEASE="2-x").code == 0
    assert box.run("read").told["bad"] == ""


def test_without_a_name_it_goes_back_to_the_one_before_and_no_further(box: Box) -> None:
    for number in (1, 2, 3):
        pack = make_pack({"app": str(number).encode()})
        box.deliver(pack, f"{number}-x", AS_DEPLOY=number)
    box.run("claim")
    for _time in range(2):
        assert box.run("switch_back").code == 0
        assert box.live == "2-x"


def test_the_last_good_ones_stay_and_never_goes_what_is_needed(box: Box) -> None:
    for number in range(1, 7):
        pack = make_pack({"app": str(number).encode()})
        keep = {"AS_KEEP": 50, "AS_DEPLOY": number}
        box.deliver(pack, f"{number}-x", **keep)
    (box.root / ".adminset/bad/5-x").write_text("bad")
    values = {"AS_DEPLOY": 40, "AS_RELEASE": "2-x", "AS_TO": "2-x"}
    box.run("claim", **values)
    box.run("switch_back", **values)
    command = [sys.executable, "-c", "input()"]
    there = box.root / "releases/3-x"
    with subprocess.Popen(command, cwd=there, stdin=subprocess.PIPE) as busy:
        done = box.run("finish", AS_KEEP=1, AS_PINS="4-x\n", **values)
        busy.communicate(b"\n")
    # 2 is live, 6 was before and is the newest good one, 4 is pinned, somebody works in 3; 5 is bad.
    left = {one.name for one in (box.root / "releases").iterdir()}
    assert left == {"2-x", "3-x", "4-x", "6-x"}
    assert set(done.told["removed"].split()) == {"1-x", "5-x"}
    assert not (box.root / ".adminset/good/1-x").exists()


def test_a_release_that_never_was_live_goes_only_where_it_is_older(box: Box) -> None:
    for number in (1, 2, 4):
        pack = make_pack({"app": str(number).encode()})
        box.run("claim", AS_DEPLOY=number)
        assert box.receive(pack, f"{number}-x", AS_DEPLOY=number).code == 0
        if number == 2:
            box.run("activate", AS_RELEASE="2-x", AS_DEPLOY=2)
            box.run("finish", AS_RELEASE="2-x", AS_DEPLOY=2)
        else:
            box.run("release_lock", AS_DEPLOY=number)
    left = {one.name for one in (box.root / "releases").iterdir()}
    assert left == {"2-x", "4-x"}
