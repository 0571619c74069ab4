"""What a host refuses, and that nothing was done then: odd deploy paths, locks of others, wrong bytes, full disks, cut networks."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.delivery.onhost.host_things import Box, make_pack
from tests.small_disk import fill, small_disk

PACK = make_pack({"app": b"1" * 100_000, "other": b"2"})
ROOTS = ["", "srv/app", "/", "//", "/etc", "/etc/app", "/srv", "/usr/lib/x", "/opt/../etc", "/opt/./a", "/opt//a", "/opt/a\nb", "/home"]  # fmt: skip


@pytest.mark.parametrize("root", ROOTS)
def test_a_path_that_is_nobodys_is_refused(box: Box, root: str) -> None:
    for name in ("claim", "activate", "finish", "receive", "switch_back"):
        done = box.run(name, AS_ROOT=root, **PACK.values("1-a"))
        assert done.code == 74, done
        assert "deploy path" in done.told["why"]
    read = box.run("read", AS_ROOT=root)
    assert (read.code, "live" in read.told) == (74, False)
    assert read.told["root_refused"] == read.told["why"]
    checked = box.run("check", AS_ROOT=root)
    assert checked.told["check_path"].startswith("fail")


def test_only_where_no_deploy_made_it_a_path_may_be_missing(box: Box) -> None:
    new = box.run("read", AS_DEPLOY=0)
    assert (new.code, "not there yet" in new.told["why"]) == (0, True)
    gone = box.run("read", AS_DEPLOY=17)
    assert (gone.code, "live" in gone.told) == (74, False)
    assert not box.root.exists()


def test_a_path_over_a_link_is_refused_by_name(box: Box, tmp_path: Path) -> None:
    (tmp_path / "real/app").mkdir(parents=True)
    (tmp_path / "way").symlink_to(tmp_path / "real")
    done = box.run("claim", AS_ROOT=f"{tmp_path}/way/app")
    assert done.code == 74
    assert f"Write {tmp_path}/real/app as the deploy path" in done.told["why"]
    assert not [*(tmp_path / "real/app").iterdir()]


@pytest.mark.parametrize("name", ["releases", "shared", ".adminset"])
def test_a_folder_that_is_a_link_is_refused(
    box: Box, tmp_path: Path, name: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    box.root.mkdir(parents=True)
    (box.root / name).symlink_to(tmp_path / "elsewhere")
    assert box.run("claim").code == 74
    assert not [*(tmp_path / "elsewhere").iterdir()]


def test_current_that_is_a_folder_is_never_touched(box: Box) -> None:
    (box.root / "current").mkdir(parents=True)
    (box.root / "current/index").write_text("by hand")
    box.run("claim")
    assert box.receive(PACK, "1-a").code == 0
    done = box.run("activate", AS_RELEASE="1-a")
    assert (done.code, done.told["switched"]) == (74, "no")
    assert (box.root / "current/index").read_text() == "by hand"
    assert [*(box.root / "current").iterdir()] == [box.root / "current/index"]
    assert box.run("check").told["check_current"].startswith("fail")


def test_one_deploy_holds_the_lock_and_another_hears_who(box: Box) -> None:
    first = box.run("claim", AS_WHO="ann", AS_REASON="new\nprices")
    assert first.code == 0
    assert box.run("claim", AS_WHO="ann").code == 0
    other = box.run("claim", AS_DEPLOY=18, AS_WHO="bob")
    assert (other.code, other.told["lock"], other.told["lock_who"]) == (75, "17", "ann")
    assert "new prices" in other.told["why"]
    for name in (
        "receive",
        "activate",
        "switch_back",
        "finish",
        "release_lock",
        "command",
    ):
        done = box.run(name, AS_DEPLOY=18, **PACK.values("1-a"))
        assert done.code == 75, (name, done)
    assert not [*(box.root / "releases").iterdir()]
    assert box.run("release_lock", AS_DEPLOY=18, AS_BREAK=1, AS_LOCK_OF=9).code == 75
    broken = box.run("release_lock", AS_DEPLOY=18, AS_BREAK=1, AS_LOCK_OF=17)
    assert (broken.code, broken.told["lock"]) == (0, "")
    assert "lock of deploy 17 broken" in (box.root / "revisions.log").read_text()
    assert box.run("activate", **PACK.values("1-a")).code == 75
    assert box.run("claim", AS_DEPLOY=18).code == 0


def test_of_many_who_claim_at_once_one_wins(box: Box) -> None:
    codes: dict[int, int] = {}

    def claim(number: int) -> None:
        values = {"AS_DEPLOY": number, "AS_ALONE_SECONDS": 60}
        codes[number] = box.run("claim", **values).code

    threads = [threading.Thread(target=claim, args=(n,)) for n in range(1, 9)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    winners = [number for number, code in codes.items() if code == 0]
    assert len(winners) == 1
    assert set(codes.values()) == {0, 75}
    assert box.run("read").told["lock"] == str(winners[0])


def test_two_programs_never_work_at_once_on_a_host(box: Box) -> None:
    box.run("claim")
    box.receive(PACK, "1-a")
    slow = "echo in >busy; read line <gate"
    root = box.root / "releases/1-a"
    os.mkfifo(root / "gate")
    os.mkfifo(root / "busy")
    values = {"AS_RELEASE": "1-a", "AS_BEFORE_SWITCH": slow}
    ended = []
    thread = threading.Thread(
        target=lambda: ended.append(box.run("activate", **values))
    )
    thread.start()
    (root / "busy").read_text()
    second = box.run("activate", AS_RELEASE="1-a")
    assert second.code == 75
    assert "still at work" in second.told["why"]
    (root / "gate").write_text("go\n")
    thread.join()
    assert ended[0].code == 0


@pytest.mark.parametrize("lists", ["", PACK.lists])
@pytest.mark.parametrize("place", [3, 150, 600, 700, 1100, 5000, 50_000, 106_000])
def test_wrong_bytes_never_become_a_release(box: Box, place: int, lists: str) -> None:
    box.run("claim")
    wrong = PACK.data[:place] + b"!" + PACK.data[place + 1 :]
    done = box.run(
        "receive", wrong, **(PACK.values("1-a") | {"AS_LISTS_SHA256": lists})
    )
    there = [*(box.root / "releases").iterdir()]
    # Nothing that matters stands in some bytes of an archive.
    if done.code == 0:
        assert (lists, place) != ("", place)
        assert (there[0] / "app").read_bytes() == b"1" * 100_000
        return
    assert done.code == 76
    assert not there
    assert not [*(box.root / ".adminset/incoming").iterdir()]
    assert box.receive(PACK, "1-a").code == 0


def test_a_whole_pack_of_another_artefact_is_none(box: Box) -> None:
    box.run("claim")
    other = make_pack({"app": b"0" * 100_000, "other": b"2"})
    for lists in (PACK.lists, other.lists, ""):
        values = other.values("1-a") | {"AS_ARTEFACT": PACK.artefact}
        done = box.run("receive", other.data, **(values | {"AS_LISTS_SHA256": lists}))
        assert done.code == 76
        assert not [*(box.root / "releases").iterdir()]
        assert not [*(box.root / ".adminset/incoming").iterdir()]


@pytest.mark.parametrize(
    "tree",
    [
        {"app": b"1", "b": b"2", "evil": b"3"},
        {"app": b"1"},
        {"app": b"1", "b": b"other"},
        {"app": b"1", "c": b"2"},
    ],
)
def test_a_pack_whose_files_are_not_those_of_the_artefact_is_refused(
    box: Box, tree: dict[str, bytes]
) -> None:
    box.run("claim")
    lies = make_pack({"app": b"1", "b": b"2"}, tree=tree)
    done = box.receive(lies, "1-a")
    assert done.code == 76
    assert "not the artefact" in done.told["why"]
    assert not [*(box.root / "releases").iterdir()]


def test_a_cut_network_goes_on_from_where_it_broke_off(box: Box) -> None:
    box.run("claim")
    half = len(PACK.data) // 2
    cut = box.run("receive", PACK.data[:half], **PACK.values("1-a"))
    assert (cut.code, cut.told["ready"]) == (76, "0")
    assert "goes on from there" in cut.told["why"]
    rest = box.run("receive", PACK.data[half:], **PACK.values("1-a"))
    assert (rest.code, rest.told["ready"]) == (0, str(half))
    assert (box.root / "releases/1-a/app").read_bytes() == b"1" * 100_000


def test_a_disk_without_room_takes_nothing_of_what_is_there(
    box: Box, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "3m") as disk:
        there = replace(box, root=disk / "app")
        there.deliver(make_pack({"app": b"old"}), "1-a")
        big = make_pack({"app": os.urandom(2_000_000)})
        there.run("claim")
        refused = there.receive(big, "2-b")
        assert refused.code == 76
        assert "no room" in refused.told["why"]
        assert "ready" not in refused.told
        checked = there.run("check", AS_NEED_BYTES=10_000_000).told
        assert checked["check_space"].startswith("fail")
        # A host that was told too little runs full on the way.
        full = there.receive(big, "2-b", AS_RAW_BYTES=0)
        assert full.code == 76, full
        assert there.live == "1-a"
        assert {p.name for p in (there.root / "releases").iterdir()} == {"1-a"}
        fill(disk)
        for name in ("activate", "switch_back", "finish", "claim"):
            there.run(name, AS_RELEASE="1-a", AS_TO="1-a")
            assert (there.root / "current/app").read_text() == "old"
        (disk / "ballast").unlink()
        assert there.receive(make_pack({"app": b"new"}), "3-c").code == 0
        assert there.run("activate", AS_RELEASE="3-c").code == 0
        assert (there.root / "current/app").read_text() == "new"


def test_a_folder_in_the_place_of_a_release_is_left_alone(box: Box) -> None:
    (box.root / "releases/1-a").mkdir(parents=True)
    (box.root / "releases/1-a/mine").write_text("x")
    box.run("claim")
    done = box.receive(PACK, "1-a")
    assert done.code == 74
    assert (box.root / "releases/1-a/mine").read_text() == "x"
    assert box.run("activate", AS_RELEASE="1-a").code == 74
    assert not (box.root / "current").exists()


def test_a_login_that_may_not_write_hears_it(box: Box) -> None:
    if os.getuid() != 0:
        pytest.skip("root lets another user try")
    with tempfile.TemporaryDirectory(prefix="adminset-onhost-") as folder:
        Path(folder).chmod(0o755)
        _assert_may_not_write(replace(box, root=Path(folder) / "app"))


def _assert_may_not_write(box: Box) -> None:
    (box.root / "releases").mkdir(parents=True)
    command = ["setpriv", "--reuid=65534", "--clear-groups", *box.shell]
    as_nobody = replace(box, shell=tuple(command))
    try:
        subprocess.run(["setpriv", "--version"], check=True, stdout=subprocess.DEVNULL)
    except OSError:
        pytest.skip("setpriv is missing")
    told = as_nobody.run("check", AS_RUN_USER="root").told
    assert told["check_write"].startswith("fail")
    assert told["check_user"].startswith("fail")
    assert as_nobody.run("claim").code == 74
