"""Downloads: a file as it is, folders as an archive; counted, hashed and told, and no connection left behind."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from adminset.errors import DomainError
from tasks.hostfiles import archives, door, downloads, flows
from tasks.hostfiles.access import Place
from tasks.ssh.sftp import Sftp
from tests.tasks.hostfiles.things import ODD_NAMES, FilesPage, refusal, sha_of, told

pytestmark = pytest.mark.django_db
CONTENT = os.urandom(5 * 2**20 + 13)
JSON = {"accept": "application/json"}


def body_of(answer: Any) -> bytes:
    content = b"".join(answer.streaming_content)
    answer.close()
    return content


def archive_of(answer: Any) -> tarfile.TarFile:
    return tarfile.open(
        fileobj=io.BytesIO(body_of(answer)),
        encoding="utf-8",
        errors="surrogateescape",
    )


def test_a_file_comes_whole_and_both_ends_are_told(
    page: FilesPage, folder: Path
) -> None:
    (folder / "big.bin").write_bytes(CONTENT)
    answer = page.get("host_files_download", folder / "big.bin")
    assert answer["Content-Length"] == str(len(CONTENT))
    assert answer["Content-Disposition"] == 'attachment; filename="big.bin"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    known = {"path": str(folder / "big.bin"), "size": len(CONTENT)}
    assert told("download") == [known]
    assert told("download_end") == []
    assert body_of(answer) == CONTENT
    end = known | {"sha256": sha_of(CONTENT), "whole": True}
    assert told("download_end") == [end]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_come_and_stay_in_their_header(
    page: FilesPage, folder: Path, name: bytes
) -> None:
    path = os.fsencode(folder) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(name)
    answer = page.get("host_files_download", path)
    assert "\n" not in answer["Content-Disposition"]
    assert body_of(answer) == name


def test_a_browser_that_goes_leaves_a_line_and_no_connection_in_use(
    page: FilesPage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "GATHERED_BYTES", 256 * 1024)
    (folder / "big.bin").write_bytes(CONTENT)
    answer = page.get("host_files_download", folder / "big.bin")
    begin = next(iter(answer.streaming_content))
    answer.close()
    (end,) = told("download_end")
    assert (end["size"], end["whole"]) == (len(begin), False)
    assert end["sha256"] == sha_of(begin)
    assert door._busy == {}


def test_a_download_ends_when_the_right_is_gone(
    page: FilesPage,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flows, "GATHERED_BYTES", 256 * 1024)
    monkeypatch.setattr(flows, "ASK_SECONDS", 0)
    (folder / "big.bin").write_bytes(CONTENT)
    answer = page.get("host_files_download", folder / "big.bin")
    parts = iter(answer.streaming_content)
    next(parts)
    page.client.logout()
    with pytest.raises(DomainError, match="no longer"):
        next(parts)
    answer.close()
    assert told("download_end")[0]["whole"] is False


def test_an_answer_that_nobody_came_for_gives_its_connection_back(
    place: Place, folder: Path
) -> None:
    (folder / "file").write_bytes(CONTENT)
    flow = downloads.download(place=place, wanted=[os.fsencode(folder / "file")])
    assert door._busy[place.actor.pk] == 1
    del flow
    assert door._busy == {}


def test_what_proc_says_is_empty_comes_all_the_same(page: FilesPage) -> None:
    answer = page.get("host_files_download", Path("/proc/version"))
    assert not answer.has_header("Content-Length")
    assert b"Linux" in body_of(answer)


def test_links_devices_and_what_is_too_large_are_refused(
    page: FilesPage, folder: Path, settings: Any
) -> None:
    (folder / "file").write_bytes(b"12345")
    (folder / "link").symlink_to("file")
    os.mkfifo(folder / "pipe")

    def code(path: Path) -> str:
        address = page.url("host_files_download", path)
        return refusal(page.client.get(address, headers=JSON))

    assert code(folder / "link") == "through_link"
    assert code(folder / "pipe") == "no_file"
    assert code(Path("/dev/zero")) == "no_file"
    assert code(folder / "missing") == "no_such_file"
    settings.FILES_DOWNLOAD_BYTES = 4
    assert code(folder / "file") == "too_large"
    nothing = page.client.get(page.url("host_files_download"), headers=JSON)
    assert refusal(nothing) == "no_path"
    assert told("download") == []


def test_a_folder_comes_as_an_archive_with_all_that_is_in_it(
    page: FilesPage, folder: Path
) -> None:
    top = folder / "top"
    (top / "empty").mkdir(parents=True)
    (top / "sub").mkdir()
    for name in ODD_NAMES:
        Path(os.fsdecode(os.fsencode(top / "sub") + b"/" + name)).write_bytes(name * 99)
    (top / "big").write_bytes(CONTENT)
    (top / "big").chmod(0o751)
    os.utime(top / "big", (1_600_000_000, 1_600_000_000))
    (top / "way").symlink_to("/etc/passwd")
    (top / ("long" * 50)).write_text("long name")
    answer = page.get("host_files_download", top)
    assert answer["Content-Disposition"] == 'attachment; filename="top.tar"'
    with archive_of(answer) as archive:
        members = {os.fsencode(one.name): one for one in archive.getmembers()}
        for name in ODD_NAMES:
            file = archive.extractfile(members[b"top/sub/" + name])
            assert file is not None
            assert file.read() == name * 99
        big = members[b"top/big"]
        assert (big.mode, big.mtime, big.size) == (0o751, 1_600_000_000, len(CONTENT))
        file = archive.extractfile(big)
        assert file is not None
        assert file.read() == CONTENT
        way = members[b"top/way"]
        assert (way.issym(), way.linkname) == (True, "/etc/passwd")
        assert members[b"top/empty"].isdir()
        assert len(members) == len(ODD_NAMES) + 6
    (end,) = told("download_end")
    assert (end["whole"], end["archive"], end["count"]) == (True, True, len(members))


def test_several_things_come_in_one_archive(page: FilesPage, folder: Path) -> None:
    (folder / "a").write_text("a")
    (folder / "b").mkdir()
    (folder / "b" / "c").write_text("c")
    answer = page.get("host_files_download", folder / "a", folder / "b")
    with archive_of(answer) as archive:
        assert archive.getnames() == ["a", "b", "b/c"]
    assert [line["path"] for line in told("download")] == [
        str(folder / "a"),
        str(folder / "b"),
    ]


def test_what_could_not_be_read_is_named_in_the_archive(
    page: FilesPage, folder: Path
) -> None:
    (folder / "top").mkdir()
    os.mkfifo(folder / "top" / "pipe")
    (folder / "top" / "good").write_text("good")
    with archive_of(page.get("host_files_download", folder / "top")) as archive:
        file = archive.extractfile("ADMINSET-INCOMPLETE.txt")
        assert file is not None
        assert f"{folder}/top/pipe: no file" in file.read().decode()
        assert "top/good" in archive.getnames()
    assert told("download_end")[0]["whole"] is False


def test_an_archive_that_grows_too_large_breaks_off(
    page: FilesPage, folder: Path, settings: Any
) -> None:
    settings.FILES_TREE_MOST = 5
    for number in range(10):
        (folder / f"f{number}").touch()
    answer = page.get("host_files_download", folder)
    with pytest.raises(DomainError, match="larger"):
        list(answer.streaming_content)
    answer.close()
    assert told("download_end")[0]["whole"] is False
    assert door._busy == {}


def test_what_is_missing_is_named_up_to_a_bound(
    page: FilesPage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_PROBLEMS", 3)
    for number in range(10):
        os.mkfifo(folder / f"pipe{number}")
    with archive_of(page.get("host_files_download", folder)) as archive:
        file = archive.extractfile("ADMINSET-INCOMPLETE.txt")
        assert file is not None
        assert len(file.read().decode().splitlines()) == 1 + 3


def test_a_file_that_says_it_is_endless_is_not_filled_up_with_zeros(
    page: FilesPage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("x")
    inside = Sftp.look_inside
    endless = 2**62
    monkeypatch.setattr(
        Sftp, "look_inside", lambda *given: inside(*given)._replace(size=endless)
    )
    answer = page.get("host_files_download", folder)
    with pytest.raises(DomainError, match="larger"):
        list(answer.streaming_content)
    answer.close()


def test_a_link_that_took_the_place_of_a_file_is_not_in_the_archive(
    page: FilesPage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("mine")
    (folder.parent / "secret").write_text("secret")
    (folder.parent / "secret").chmod(0o600)
    opens = Sftp.open

    def swapped(sftp: Sftp, path: bytes, *given: int) -> bytes:
        (folder / "file").unlink()
        (folder / "file").symlink_to(folder.parent / "secret")
        return opens(sftp, path, *given)

    monkeypatch.setattr(Sftp, "open", swapped)
    content = body_of(page.get("host_files_download", folder))
    assert b"secret" not in content
    assert b"another file took its place" in content


def test_a_hash_is_taken_on_the_host(page: FilesPage, folder: Path) -> None:
    (folder / "file").write_bytes(CONTENT)
    answer = page.call("host_files_hash", folder / "file")
    assert answer.json() == {"size": len(CONTENT), "sha256": sha_of(CONTENT)}
    assert told("hash")[0]["sha256"] == sha_of(CONTENT)
    assert refusal(page.call("host_files_hash", folder)) == "no_file"
