"""Files on a real host: sent once, compared, put in place whole or not at all, with owner, mode and a copy of the old one."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.ssh.connect import Connection
from tasks.ssh.delivery import Delivery
from tasks.ssh.files import put_files
from tasks.ssh.terms import Terms
from tasks.targets import CommandResult, Target
from tests.farm import SshFarm
from tests.tasks.doors import Output


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    with SshFarm(1, tmp_path_factory.mktemp("farm")) as made:
        yield made


@pytest.fixture
def target(farm: SshFarm) -> Target:
    return farm.target(farm.hosts[0])


def parcel(tmp_path: Path, content: bytes, path: Path, **changes: object) -> Delivery:
    digest = hashlib.sha256(content).hexdigest()
    source = tmp_path / f"library-{digest}"
    source.write_bytes(content)
    return replace(Delivery(source, digest, len(content), str(path)), **changes)  # type: ignore[arg-type]


def put(
    target: Target, *parcels: Delivery, **options: object
) -> tuple[CommandResult, str]:
    output = Output()
    terms = Terms(**({"on_output": output, "timeout": 20} | options))  # type: ignore[arg-type]
    return put_files(target, parcels, terms), output.of("stdout").decode()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if "library-" not in path.name)


def test_a_file_is_sent_once_and_is_unchanged_the_second_time(
    target: Target, tmp_path: Path
) -> None:
    place = tmp_path / "new file"
    content = os.urandom(300_000)
    one = parcel(tmp_path, content, place, mode="0640")
    result, said = put(target, one)
    assert (result.status, result.exit_code) == ("ok", 0), result.explanation
    assert result.explanation == f"1 file on {target.label}: 1 sent."
    assert place.read_bytes() == content
    assert place.stat().st_mode & 0o7777 == 0o640
    assert f"{place}: sending 300,000 bytes" in said
    inode = place.stat().st_ino
    result, said = put(target, one)
    assert result.explanation == f"1 file on {target.label}: 1 unchanged."
    assert said == f"{place}: unchanged (300,000 bytes)\n"
    assert place.stat().st_ino == inode
    result, said = put(target, replace(one, mode="600"))
    assert result.explanation == f"1 file on {target.label}: 1 mended."
    assert place.stat().st_mode & 0o7777 == 0o600
    assert names(tmp_path) == ["new file"]


def test_owner_and_mode_stay_and_the_old_file_is_kept(
    target: Target, tmp_path: Path
) -> None:
    place = tmp_path / "app.conf"
    place.write_text("old")
    place.chmod(0o604)
    if os.getuid() == 0:
        os.chown(place, 1, 2)
    result, _ = put(target, parcel(tmp_path, b"new", place, backup=True))
    assert result.status == "ok", result.explanation
    now = place.stat()
    assert (place.read_text(), now.st_mode & 0o7777) == ("new", 0o604)
    if os.getuid() == 0:
        assert (now.st_uid, now.st_gid) == (1, 2)
    old = [path for path in tmp_path.iterdir() if "app.conf.adminset-" in path.name]
    assert [path.read_text() for path in old] == ["old"]
    assert re.fullmatch(r"app\.conf\.adminset-\d{14}", old[0].name)


def test_several_files_go_one_after_the_other_and_the_first_fault_ends_it(
    target: Target, tmp_path: Path
) -> None:
    good = parcel(tmp_path, b"1", tmp_path / "one")
    bad = parcel(tmp_path, b"2", tmp_path / "missing" / "two")
    never = parcel(tmp_path, b"3", tmp_path / "three")
    result, said = put(target, good, bad, never)
    assert (result.status, result.exit_code) == ("failed", None)
    assert "two was not brought to" in result.explanation
    assert f"the folder {tmp_path}/missing is not there" in result.explanation
    assert f"{bad.path}: the folder" in said
    assert names(tmp_path) == ["one"]


def test_what_arrives_damaged_is_not_put_in_place(
    target: Target, tmp_path: Path
) -> None:
    place = tmp_path / "file"
    place.write_text("old")
    one = replace(parcel(tmp_path, b"damaged", place), sha256="0" * 64)
    result, _ = put(target, one)
    assert result.status == "failed"
    assert "what arrived is not what was sent" in result.explanation
    assert (place.read_text(), names(tmp_path)) == ("old", ["file"])


@pytest.mark.parametrize(
    "path",
    [
        "",
        "etc/motd",
        "/etc/../etc/motd",
        "/etc/",
        "/",
        "/a\nb",
        "/./x",
        "/" + "x" * 1001,
    ],
)
def test_a_path_that_is_no_place_is_refused(
    target: Target, tmp_path: Path, path: str
) -> None:
    one = replace(parcel(tmp_path, b"x", tmp_path), path=path)
    result, said = put(target, one)
    assert (result.status, said) == ("failed", "")
    assert "path" in result.explanation or ".." in result.explanation


@pytest.mark.parametrize(
    "wrong", [{"mode": "99"}, {"mode": "u+s"}, {"owner": "-R"}, {"group": "a b"}]
)
def test_modes_and_owners_that_are_none_are_refused(
    target: Target, tmp_path: Path, wrong: dict[str, str]
) -> None:
    result, _ = put(target, parcel(tmp_path, b"x", tmp_path / "x", **wrong))
    assert result.status == "failed"
    assert not (tmp_path / "x").exists()


def test_links_and_folders_are_not_replaced(target: Target, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    result, _ = put(target, parcel(tmp_path, b"x", tmp_path / "link"))
    assert "it is a symbolic link there" in result.explanation
    result, _ = put(target, parcel(tmp_path, b"x", tmp_path))
    assert "something else than a file is there" in result.explanation
    assert (tmp_path / "real").read_text() == "real"


def test_a_name_made_of_hostile_characters_is_only_a_name(
    target: Target, tmp_path: Path
) -> None:
    place = tmp_path / "$(touch pwned) `id` 'x\" ; rm -rf * ü"
    result, _ = put(target, parcel(tmp_path, b"x", place))
    assert result.status == "ok", result.explanation
    assert names(tmp_path) == [place.name]


def test_an_account_that_does_not_exist_is_named_in_the_hosts_own_words(
    target: Target, tmp_path: Path
) -> None:
    one = parcel(tmp_path, b"x", tmp_path / "x", owner="nobody-of-this-name")
    result, _ = put(target, one)
    assert result.status == "failed"
    assert "invalid user" in result.explanation
    assert names(tmp_path) == []


@pytest.mark.parametrize("how", ["cancelled", "timed_out"])
def test_a_transfer_that_is_stopped_leaves_nothing(
    target: Target, tmp_path: Path, how: str
) -> None:
    place = tmp_path / "big"
    place.write_text("old")
    size = 30_000_000
    one = parcel(tmp_path, bytes(size), place)
    staged: list[Path] = []

    def cancelled() -> bool:
        staged.extend(tmp_path.glob(".adminset-*/file"))
        if staged and how == "timed_out":
            time.sleep(0.05)
        return how == "cancelled" and bool(staged)

    timeout = 20 if how == "cancelled" else 5
    result, _ = put(target, one, cancelled=cancelled, timeout=timeout)
    assert result.status == how, result.explanation
    assert result.limit == ("host" if how == "timed_out" else "")
    assert staged
    assert (place.read_text(), names(tmp_path)) == ("old", ["big"])


def test_a_host_without_sftp_says_so(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Connection) -> None:
        raise OSError("Channel closed")

    monkeypatch.setattr(Connection, "sftp", refused)
    result, _ = put(target, parcel(tmp_path, b"x", tmp_path / "x"))
    assert "the host has no SFTP (Channel closed)" in result.explanation
