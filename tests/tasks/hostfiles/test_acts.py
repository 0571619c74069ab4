"""New folders, other names and modes; deleting into the waste, and out of it for good."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tasks.hostfiles import known
from tasks.hostfiles.paths import read
from tests.tasks.hostfiles.things import ODD_NAMES, FilesPage, refusal, sha_of, told

pytestmark = pytest.mark.django_db


def test_a_folder_is_made_once(page: FilesPage, folder: Path) -> None:
    new = folder / "new folder"
    assert page.call("host_files_folder", new).status_code == 201
    assert new.is_dir()
    assert refusal(page.call("host_files_folder", new)) == "exists"
    again = page.call("host_files_folder", new, may_be_there=True)
    assert again.status_code == 201
    assert told("make_folder") == [{"path": str(new)}]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_are_given_and_taken(
    page: FilesPage, folder: Path, name: bytes
) -> None:
    old = folder / "old"
    old.write_bytes(b"content")
    new = os.fsencode(folder) + b"/" + name
    assert page.call("host_files_rename", old, to=new).status_code == 200
    assert Path(os.fsdecode(new)).read_bytes() == b"content"
    assert page.call("host_files_rename", new, to=old).status_code == 200
    assert old.read_bytes() == b"content"
    first = told("rename")[0]
    assert (first["sha256"], first["size"]) == (sha_of(b"content"), 7)
    if name.endswith(b"bytes.txt"):
        assert first["to"].endswith("bad\\xff\\xfebytes.txt")
        assert told("rename")[1]["path_encoded"].endswith("bad%FF%FEbytes.txt")


def test_nothing_is_overwritten_by_a_rename(page: FilesPage, folder: Path) -> None:
    old, new = folder / "old", folder / "new"
    old.write_text("old")
    new.write_text("new")
    assert refusal(page.call("host_files_rename", old, to=new)) == "exists"
    assert (old.read_text(), new.read_text()) == ("old", "new")
    assert told("rename") == []


def test_a_folder_does_not_go_into_itself(page: FilesPage, folder: Path) -> None:
    answer = page.call("host_files_rename", folder, to=folder / "below")
    assert refusal(answer) == "into_itself"
    assert folder.is_dir()


def test_a_mode_is_set_and_told(page: FilesPage, folder: Path) -> None:
    file = folder / "run.sh"
    file.touch(0o644)
    file.chmod(0o644)
    answer = page.call("host_files_mode", file, mode="0750")
    assert answer.status_code == 200
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    known = {"size": 0, "sha256": sha_of(b"")}
    line = {"path": str(file), "mode": "0750", "mode_before": "0644"} | known
    assert told("mode") == [line]


@pytest.mark.parametrize("mode", ["", "999", "rwx", "07555", "0o755", "-1"])
def test_what_is_no_mode_is_refused(page: FilesPage, folder: Path, mode: str) -> None:
    before = folder.stat().st_mode
    assert refusal(page.call("host_files_mode", folder, mode=mode)) == "bad_mode"
    assert folder.stat().st_mode == before


def test_the_mode_of_what_a_link_leads_to_stays(page: FilesPage, folder: Path) -> None:
    (folder / "file").touch(0o600)
    (folder / "link").symlink_to("file")
    answer = page.call("host_files_mode", folder / "link", mode="0777")
    assert refusal(answer) == "is_link"
    assert stat.S_IMODE((folder / "file").stat().st_mode) == 0o600


def test_what_is_deleted_lies_in_the_waste_and_can_come_back(
    page: FilesPage, folder: Path, settings: Any
) -> None:
    file = folder / "with space"
    file.write_bytes(b"content")
    answer = page.call("host_files_waste", file)
    assert answer.status_code == 200, answer.content
    lies = Path(os.fsdecode(read(answer.json()["waste"])))
    assert not file.exists()
    assert lies.read_bytes() == b"content"
    waste = Path(settings.FILES_WASTE)
    assert lies.is_relative_to(waste)
    assert stat.S_IMODE(waste.stat().st_mode) == 0o700
    (line,) = told("delete")
    assert line["sha256"] == sha_of(b"content")
    assert (line["size"], line["waste"]) == (7, str(lies))
    assert page.call("host_files_rename", lies, to=file).status_code == 200
    assert file.read_bytes() == b"content"


def test_two_of_one_name_lie_side_by_side(
    page: FilesPage, folder: Path, settings: Any
) -> None:
    for number in range(2):
        (folder / "same").write_text(str(number))
        assert page.call("host_files_waste", folder / "same").status_code == 200
    found = Path(settings.FILES_WASTE).glob("*/same")
    assert sorted(file.read_text() for file in found) == ["0", "1"]


def test_a_link_goes_and_what_it_leads_to_stays(page: FilesPage, folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "real" / "file").touch()
    (folder / "way").symlink_to("real")
    assert page.call("host_files_waste", folder / "way").status_code == 200
    assert not (folder / "way").is_symlink()
    assert (folder / "real" / "file").exists()
    answer = page.call("host_files_waste", folder / "real" / ".." / "real")
    assert refusal(answer) == "bad_path"


def test_through_a_link_nothing_is_deleted(page: FilesPage, folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "real" / "file").touch()
    (folder / "way").symlink_to("real")
    answer = page.call("host_files_waste", folder / "way" / "file")
    assert refusal(answer) == "through_link"
    true = answer.json()["error"]["fields"]["path"]
    assert read(true) == os.fsencode(folder / "real" / "file")
    assert (folder / "real" / "file").exists()


def test_a_waste_on_another_disk_is_made_beside(
    page: FilesPage, folder: Path, settings: Any
) -> None:
    other = Path("/dev/shm")  # noqa: S108 - a disk of its own
    if other.stat().st_dev == folder.stat().st_dev:
        pytest.skip("there is no other disk")
    settings.FILES_WASTE = str(other / f"waste-{os.getpid()}")
    (folder / "file").write_text("content")
    answer = page.call("host_files_waste", folder / "file")
    assert answer.status_code == 200, answer.content
    lies = Path(os.fsdecode(read(answer.json()["waste"])))
    assert lies.is_relative_to(folder / f"waste-{os.getpid()}")
    Path(settings.FILES_WASTE).rmdir()


def test_home_and_root_are_not_deleted(page: FilesPage, folder: Path) -> None:
    for path in (Path("/"), Path.home(), Path.home().parent):
        assert refusal(page.call("host_files_waste", path)) == "not_deleted"
    assert Path.home().is_dir()


def test_only_the_waste_is_purged_and_links_are_not_followed(
    page: FilesPage, folder: Path, settings: Any
) -> None:
    tree = folder / "tree"
    (tree / "deep" / "deeper").mkdir(parents=True)
    for number, name in enumerate(ODD_NAMES):
        path = os.fsencode(tree / "deep") + b"/" + name
        Path(os.fsdecode(path)).write_text(str(number))
    (folder / "kept").mkdir()
    (folder / "kept" / "file").touch()
    (tree / "deep" / "way").symlink_to(folder / "kept")
    assert refusal(page.call("host_files_purge", tree)) == "not_in_waste"
    thrown = page.call("host_files_waste", tree).json()["waste"]
    lies = Path(os.fsdecode(read(thrown)))
    assert refusal(page.call("host_files_waste", lies)) == "not_deleted"
    answer = page.call("host_files_purge", lies)
    assert answer.json() == {"count": len(ODD_NAMES) + 4}
    assert not lies.parent.exists()
    assert (folder / "kept" / "file").exists()
    assert Path(settings.FILES_WASTE).is_dir()
    assert told("purge")[0]["count"] == len(ODD_NAMES) + 4


def test_all_of_the_waste_is_purged_and_the_folder_stays(
    page: FilesPage, folder: Path, settings: Any
) -> None:
    for name in ("a", "b"):
        (folder / name).touch()
        page.call("host_files_waste", folder / name)
    waste = Path(settings.FILES_WASTE)
    assert page.call("host_files_purge", waste).json() == {"count": 4}
    assert list(waste.iterdir()) == []


def test_what_a_folder_held_is_told(page: FilesPage, folder: Path) -> None:
    tree = folder / "tree"
    (tree / "deep").mkdir(parents=True)
    for name in ("a", "deep/b", "deep/c"):
        (tree / name).write_bytes(b"12345")
    assert page.call("host_files_mode", tree, mode="0750").status_code == 200
    moved = folder / "moved"
    assert page.call("host_files_rename", tree, to=moved).status_code == 200
    lies = page.call("host_files_waste", moved).json()["waste"]
    assert page.call("host_files_purge", Path(lies)).json() == {"count": 5}
    for act, count in (("mode", 4), ("rename", 4), ("delete", 4), ("purge", 5)):
        (line,) = told(act)
        assert (line["kind"], line["count"], line["size"]) == ("folder", count, 15)
        assert "at_least" not in line


def test_a_large_folder_is_counted_up_to_a_bound(
    page: FilesPage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "COUNTED_MOST", 3)
    for number in range(5):
        (folder / str(number)).write_bytes(b"1")
    assert page.call("host_files_mode", folder, mode="0750").status_code == 200
    (line,) = told("mode")
    assert (line["count"], line["size"], line["at_least"]) == (3, 3, True)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b'{"path": 5}', b"\xff"])
def test_a_body_that_is_none_is_refused(page: FilesPage, body: bytes) -> None:
    answer = page.client.post(
        page.url("host_files_waste"),
        body,
        content_type="application/json",
        headers={"accept": "application/json"},
    )
    assert answer.status_code == 400
    assert told("delete") == []
