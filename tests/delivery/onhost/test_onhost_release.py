"""A release on a host: received, switched, finished, taken back; in both shells."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from pathlib import Path

import pytest

from tests.delivery.onhost.host_things import Box, log_of, make_pack

FILES = {
    "app/a b.txt": b"one",
    'app/quo\'te "x" $(id).txt': b"two",
    "-rf": b"three",
    "bin/run": b"#!/bin/sh\nexit 0\n",
    "docs/äöü 中.txt": b"four",
}
SHARED = "config/site.ini\nlog/\nmedia/deep/\n"


def test_a_release_comes_whole_whatever_its_files_are_called(box: Box) -> None:
    pack = make_pack(FILES, {"latest": "app/a b.txt"}, ("bin/run",))
    box.deliver(pack, "1-aaaaaaaa", AS_WHO="ann\nb\tx", AS_COMMIT="c0ffee")
    assert box.live == "1-aaaaaaaa"
    live = box.root / "current"
    for path, data in FILES.items():
        assert (live / path).read_bytes() == data
    assert str((live / "latest").readlink()) == "app/a b.txt"
    assert stat.S_IMODE((live / "bin/run").stat().st_mode) == 0o755
    assert stat.S_IMODE((live / "app/a b.txt").stat().st_mode) == 0o644
    assert (live / "REVISION").read_text() == "c0ffee\n"
    about = (live / ".adminset-release").read_text()
    assert f"artefact={pack.artefact}\n" in about
    assert "who=ann b\tx\n" in about
    assert log_of(box) == ["switched: - -> 1-aaaaaaaa", "deployed: - -> 1-aaaaaaaa"]
    state = box.run("read")
    assert state.told["lock"] == ""
    assert state.told["good"] == "1-aaaaaaaa"
    assert not [*(box.root / ".adminset/incoming").iterdir()]


def test_every_program_may_run_twice_and_the_log_tells_it_once(box: Box) -> None:
    pack = make_pack({"a": b"1"})
    for name in ("claim", "receive", "activate"):
        given = pack.data if name == "receive" else b""
        for _time in range(2):
            assert box.run(name, given, **pack.values("1-a")).code == 0
    for _time in range(2):
        assert box.run("finish", **pack.values("1-a")).code == 0
        assert box.run("claim").code == 0
    assert log_of(box) == ["switched: - -> 1-a", "deployed: - -> 1-a"]


def test_what_came_but_lost_its_bytes_comes_anew(box: Box) -> None:
    pack = make_pack({"app": b"1"})
    box.run("claim")
    box.receive(pack, "1-a")
    (box.root / "releases/1-a/app").write_text("")
    again = box.receive(pack, "1-a")
    assert (again.code, again.told["received"]) == (0, "yes")
    assert (box.root / "releases/1-a/app").read_text() == "1"
    assert box.receive(pack, "1-a").told["received"] == "already"
    box.run("activate", AS_RELEASE="1-a")
    box.run("finish")
    box.run("claim")
    # What was good is never taken away to be made anew.
    (box.root / "releases/1-a/app").write_text("by hand")
    assert box.receive(pack, "1-a").told["received"] == "already"
    assert (box.root / "current/app").read_text() == "by hand"


def test_shared_files_and_folders_outlive_releases(box: Box) -> None:
    first = make_pack({"app": b"1", "config/site.ini": b"first", "media/deep/x": b"x"})
    box.deliver(first, "1-a", AS_SHARED=SHARED)
    (box.root / "current/log/app.log").write_text("a line")
    (box.root / "current/config/site.ini").write_text("by hand")
    second = make_pack({"app": b"2", "config/site.ini": b"second"})
    box.deliver(second, "2-b", AS_SHARED=SHARED, AS_DEPLOY=18)
    live = box.root / "current"
    assert (live / "app").read_text() == "2"
    assert (live / "log/app.log").read_text() == "a line"
    assert (live / "config/site.ini").read_text() == "by hand"
    assert (live / "media/deep/x").read_text() == "x"
    assert str((live / "media/deep").readlink()) == "../../../shared/media/deep"
    assert box.run("look").told["changed"] == "0"


def test_a_shared_file_that_nobody_brings_stops_before_anything_is_there(
    box: Box,
) -> None:
    pack = make_pack({"app": b"1"})
    assert box.run("claim").code == 0
    done = box.receive(pack, "1-a", AS_SHARED="config/site.ini")
    assert done.code == 74
    assert f"{box.root}/shared/config/site.ini is not there" in done.told["why"]
    assert not [*(box.root / "releases").glob("*")]


@pytest.mark.parametrize("shared", ["../out", "/etc/passwd", "a/../../b", "-x"])
def test_a_shared_path_that_leads_out_is_refused(box: Box, shared: str) -> None:
    box.run("claim")
    assert box.receive(make_pack({"app": b"1"}), "1-a", AS_SHARED=shared).code == 74
    assert not [*(box.root / "releases").glob("*")]


def test_a_link_of_the_release_leads_no_shared_path_astray(
    box: Box, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x").write_text("mine")
    box.run("claim")
    pack = make_pack({"app": b"1"}, {"config": str(outside)})
    (box.root / "shared/config").mkdir(parents=True)
    (box.root / "shared/config/x").write_text("shared")
    assert box.receive(pack, "1-a", AS_SHARED="config/x").code == 74
    assert (outside / "x").read_text() == "mine"
    assert not (outside / "x").is_symlink()


def test_what_root_delivers_belongs_to_the_run_user(box: Box) -> None:
    if os.getuid() != 0:
        pytest.skip("only root gives files away")
    pack = make_pack({"app": b"1", "conf/x": b"2"}, {"way": "app"})
    box.deliver(pack, "1-a", AS_RUN_USER="nobody", AS_SHARED="log/\nconf/x")
    release = box.root / "releases/1-a"
    owned = [release, *release.rglob("*"), *(box.root / "shared").rglob("x")]
    owners = {pwd.getpwuid(one.lstat().st_uid).pw_name for one in owned}
    assert owners == {"nobody"}
    # Who may write there could have anything switched, or cleared away.
    for one in (".", "releases", "shared", ".adminset", "revisions.log"):
        assert (box.root / one).stat().st_uid == 0
    (release / "REVISION").unlink()
    (release / "REVISION").symlink_to("/etc/passwd")
    assert box.run("read").told["commit"] == ""


def test_changed_files_of_the_live_release_are_named(box: Box) -> None:
    box.deliver(make_pack(FILES), "1-a")
    (box.root / "current/app/a b.txt").write_text("changed")
    (box.root / "current/-rf").unlink()
    looked = box.run("look").told
    assert looked["changed"] == "2"
    assert "./app/a b.txt" in looked["changed_files"]


def test_what_the_documents_say_for_mending_by_hand_works(box: Box) -> None:
    for number in (1, 2):
        pack = make_pack({"app": str(number).encode()})
        box.deliver(pack, f"{number}-x", AS_DEPLOY=number)
    box.run("claim")
    page = Path(__file__).parents[3] / "docs" / "delivery-hosts.md"
    text = page.read_text().partition("```sh\n")[2].partition("```")[0]
    text = text.replace("40-1b2c3d4e", "1-x")
    done = subprocess.run(
        [*box.shell, "-e"],
        input=text.encode(),
        cwd=box.root,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done
    assert box.live == "1-x"
    assert b"who=ann" in done.stdout
    state = box.run("read").told
    assert (state["live"], state["lock"]) == ("1-x", "")
