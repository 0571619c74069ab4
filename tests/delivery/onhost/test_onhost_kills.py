"""kill -9 at every line of what changes a host: `current` leads to a whole release, nothing that is needed is gone, and once more ends well.

The plain run takes every 37th line and each line near a rename; ADMINSET_TEST_EVERY_LINE=1 takes all, in both shells.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.onhost.programs import program
from tests.delivery.onhost.host_things import SHELLS, Box, Pack, Said, make_pack

EVERY = bool(os.environ.get("ADMINSET_TEST_EVERY_LINE"))
STEP = 37
# Around these a kill hurts most.
SHARP = ("mv -T", "ln -s")
SHARED = "config/site.ini\nlog/\n"
HOOKS = {
    "AS_BEFORE_SWITCH": "true",
    "AS_DRAIN": "true",
    "AS_RESTART": "true",
    "AS_HEALTH": "command",
    "AS_HEALTH_TARGET": "grep -q app app/main",
    "AS_AFTER_SWITCH": "true",
    "AS_BACK": "true",
}
RELEASES = ("1-aaaaaaaa", "2-bbbbbbbb", "3-cccccccc", "4-dddddddd")
FORMER, OLD, NEW = RELEASES[1], RELEASES[2], RELEASES[3]


def pack(release: str) -> Pack:
    """Give what a release is made of."""
    files = {"app/main": f"app {release}".encode(), "config/site.ini": b"name=x\n"}
    return make_pack(
        files | {"bin/a b": b"#!/bin/sh\n"}, {"run": "bin/a b"}, ("bin/a b",)
    )


def values(name: str) -> dict[str, object]:
    """Give what a program is told in the deploy that is killed."""
    told = pack(NEW).values(NEW) | HOOKS
    own: dict[str, object] = {"AS_DEPLOY": "20", "AS_SHARED": SHARED, "AS_KEEP": "2"}
    if name == "blue_green":
        own["AS_SWITCH_COMMAND"] = "true"
    if name == "switch_back":
        own |= {"AS_TO": OLD, "AS_MARK_BAD": "1"}
    return told | own


# What is killed, and what was done before; the program of the same name, but for blue-green.
PROGRAMS = {"blue_green": "activate"}
BEFORE: dict[str, tuple[str, ...]] = {
    "claim": (),
    "release_lock": ("claim",),
    "receive": ("claim",),
    "activate": ("claim", "receive"),
    "blue_green": ("claim", "receive"),
    "switch_back": ("claim", "receive", "activate"),
    "finish": ("claim", "receive", "activate"),
}
LIVE_AT_END = {"activate": NEW, "blue_green": NEW, "finish": NEW}


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    if request.param != "dash" and not EVERY:
        pytest.skip("ADMINSET_TEST_EVERY_LINE=1 kills busybox, too")
    if not shutil.which(SHELLS[request.param][0]):
        pytest.skip(f"{request.param} is missing")
    return str(request.param)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A host with three good releases, the third live."""
    box = Box(tmp_path_factory.mktemp("start") / "my app")
    for number, release in enumerate(RELEASES[:3], 1):
        box.deliver(pack(release), release, AS_SHARED=SHARED, AS_DEPLOY=number)
    return box


def lines_to_kill(text: str) -> Iterator[int]:
    """Give the lines behind which the program is killed."""
    for number, line in enumerate(text.splitlines(), 1):
        if EVERY or number % STEP == 0 or any(word in line for word in SHARP):
            yield number


def killed_after(text: str, number: int, shell: str) -> str:
    """Give a program that ends there by SIGKILL; "" where a command cannot stand there."""
    lines = text.splitlines()
    lines.insert(number, "kill -9 $$")
    made = "\n".join(lines) + "\n"
    check = [*SHELLS[shell], "-n"]
    return (
        "" if subprocess.run(check, input=made.encode(), stderr=-3).returncode else made
    )


def assert_whole(box: Box, known: set[str]) -> Said:
    """`current` leads to a whole good release; what is live, was before, or was live at the start is there with all its bytes."""
    state = box.run("read", AS_DEPLOY="20")
    assert state.code == 0
    live, previous = state.told["live"], state.told["previous"]
    assert live == box.live
    assert live in known
    for release in {live, previous, OLD}:
        folder = box.root / "releases" / release
        assert (folder / "app/main").read_text() == f"app {release}"
        assert (folder / "run").read_bytes() == b"#!/bin/sh\n"
        assert os.access(folder / "bin/a b", os.X_OK)
        assert (folder / "config/site.ini").read_text() == "name=x\n"
        assert (folder / "log").is_dir()
        assert (folder / "REVISION").read_text() == f"c-{release}\n"
    for release in state.told["releases"].split():
        assert (box.root / "releases" / release / ".adminset-release").is_file()
    return state


@pytest.mark.timeout(3600 if EVERY else 300)
@pytest.mark.parametrize("name", BEFORE)
def test_a_host_is_whole_after_a_kill_at_any_line_and_the_next_try_ends_well(
    name: str, shell: str, start: Box, tmp_path: Path
) -> None:
    acts = PROGRAMS.get(name, name)
    told, text, deaths = values(name), program(acts), 0
    # At the place that the killed one will have: a deploy path that leads elsewhere is another.
    model, box = tmp_path / "model", Box(tmp_path / "host" / "app", SHELLS[shell])
    box.root.parent.mkdir()
    shutil.copytree(start.root, box.root, symlinks=True)
    for one in BEFORE[name]:
        done = box.run(one, pack(NEW).data if one == "receive" else b"", **told)
        assert done.code == 0, done
    box.root.rename(model)
    given = pack(NEW).data if name == "receive" else b""
    for number in lines_to_kill(text):
        made = killed_after(text, number, shell)
        if not made:
            continue
        shutil.copytree(model, box.root, symlinks=True)
        first = box.run(acts, given, text=made, **told)
        deaths += first.code == -9
        where = f"{name} killed after line {number}: {text.splitlines()[number - 1]}"
        try:
            assert_whole(box, {OLD, NEW})
            again = box.run(acts, given, **told)
            assert again.code == 0, again
            state = assert_whole(box, {LIVE_AT_END.get(name, OLD)})
            _assert_end(name, box, state)
        except AssertionError as error:
            raise AssertionError(f"{where}\n{first}") from error
        shutil.rmtree(box.root)
    assert deaths > (25 if EVERY else 2)


def _assert_end(name: str, box: Box, state: Said) -> None:
    """What is true once the program came to its end, whatever happened before."""
    told = state.told
    leftovers = [*box.root.glob(".current*"), *box.root.glob("releases/.new*")]
    if name == "receive":
        assert NEW in told["releases"].split()
        assert not leftovers
        assert not [*(box.root / ".adminset/incoming").iterdir()]
    elif name in ("claim", "release_lock"):
        assert told["lock"] == ("20" if name == "claim" else "")
    elif name in ("activate", "blue_green"):
        assert told["previous"] == OLD
        assert told["slot"] == ("blue" if name == "blue_green" else "")
    elif name == "switch_back":
        assert told["previous"] == NEW
        assert told["bad"] == NEW
    else:
        assert told["previous"] == OLD
        assert told["releases"].split() == [NEW, OLD]
        assert told["lock"] == ""
        assert not leftovers
        assert not [*box.root.glob("releases/.gone*")]
    assert told["drained"] == ""
    log = (box.root / "revisions.log").read_text().splitlines()
    assert len(log) == len(set(log))


def test_the_programs_are_the_same_text_for_both_shells(start: Box) -> None:
    other = replace(start, shell=SHELLS["busybox"])
    if not shutil.which("busybox"):
        pytest.skip("busybox is missing")
    assert start.run("read").told == other.run("read").told
