"""Uploads: in pieces, after a break from where they stood, compared as a whole, never a half in place."""

from __future__ import annotations

import io
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Host
from tasks.hostfiles import hands, uploads
from tasks.hostfiles.access import Place
from tasks.hostfiles.orders import order_of
from tests.tasks.hostfiles.things import ODD_NAMES, FilesPage, refusal, sha_of, told

pytestmark = pytest.mark.django_db
CONTENT = os.urandom(3 * 2**20 + 17)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_and_is_told_with_size_and_hash(
    page: FilesPage, folder: Path
) -> None:
    answer = page.upload(folder / "big.bin", CONTENT)
    assert answer.json() == {"size": len(CONTENT), "sha256": sha_of(CONTENT)}
    assert (folder / "big.bin").read_bytes() == CONTENT
    assert names(folder) == ["big.bin"]
    line = {
        "path": str(folder / "big.bin"),
        "size": len(CONTENT),
        "sha256": sha_of(CONTENT),
    }
    assert told("upload") == [line]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_arrive(page: FilesPage, folder: Path, name: bytes) -> None:
    path = os.fsencode(folder) + b"/" + name
    assert page.upload(path, b"content").status_code == 200
    assert Path(os.fsdecode(path)).read_bytes() == b"content"
    assert len(names(folder)) == 1


def test_an_empty_file_arrives(page: FilesPage, folder: Path) -> None:
    assert page.upload(folder / "empty", b"").status_code == 200
    assert (folder / "empty").read_bytes() == b""


def test_after_a_break_it_goes_on_where_it_stood(page: FilesPage, folder: Path) -> None:
    path = folder / "big.bin"
    begun = page.begin(path, CONTENT).json()
    assert begun["offset"] == 0
    page.piece(begun["token"], 0, CONTENT[: 2**20])
    # Nothing stands at the path meanwhile, and the half is nobody else's to read.
    (half,) = folder.iterdir()
    assert half.name.startswith(".adminset-")
    assert stat.S_IMODE(half.stat().st_mode) == 0o700
    again = page.begin(path, CONTENT).json()
    assert again["offset"] == 2**20
    assert page.upload(path, CONTENT).status_code == 200
    assert path.read_bytes() == CONTENT
    assert told("upload_begin")[1]["offset"] == 2**20


def test_another_file_of_the_same_name_does_not_go_on(
    page: FilesPage, folder: Path
) -> None:
    begun = page.begin(folder / "f", CONTENT, mark="1").json()
    page.piece(begun["token"], 0, CONTENT[: 2**20])
    other = page.begin(folder / "f", CONTENT, mark="2").json()
    assert other["offset"] == 0


def test_a_damaged_piece_is_refused_and_nothing_of_it_is_written(
    page: FilesPage, folder: Path
) -> None:
    token = page.begin(folder / "f", CONTENT).json()["token"]
    answer = page.piece(token, 0, CONTENT[:1000], sha_of(b"else"))
    assert refusal(answer) == "damaged_piece"
    assert page.begin(folder / "f", CONTENT).json()["offset"] == 0


def test_a_piece_out_of_turn_is_told_where_to_go_on(
    page: FilesPage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hands, "TURN_SECONDS", 0.1)
    token = page.begin(folder / "f", CONTENT).json()["token"]
    page.piece(token, 0, CONTENT[:1000])
    for offset in (0, 500, 2000):
        answer = page.piece(token, offset, CONTENT[offset : offset + 10])
        assert refusal(answer) == "offset"
        assert answer.json()["error"]["fields"] == {"offset": "1000"}
    too_long = page.piece(token, len(CONTENT), b"more")
    assert refusal(too_long) == "too_long"


def test_what_is_not_whole_or_not_the_same_is_not_put_in_place(
    page: FilesPage, folder: Path
) -> None:
    token = page.begin(folder / "f", CONTENT).json()["token"]
    page.piece(token, 0, CONTENT[:-1])
    assert refusal(page.finish(token, CONTENT)) == "offset"
    page.piece(token, len(CONTENT) - 1, CONTENT[-1:])
    assert refusal(page.finish(token, b"something else")) == "damaged"
    assert names(folder) == []
    assert told("upload") == []


def test_what_was_changed_on_the_host_on_its_way_is_noticed(
    page: FilesPage, folder: Path
) -> None:
    token = page.begin(folder / "f", CONTENT).json()["token"]
    page.piece(token, 0, CONTENT)
    (half,) = folder.glob(".adminset-*/part-*")
    with half.open("r+b") as file:
        file.write(b"tampered")
    assert refusal(page.finish(token, CONTENT)) == "damaged"
    assert not (folder / "f").exists()


def test_a_host_that_cannot_hash_is_read_back(
    page: FilesPage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "tasks.hostfiles.placing.sha256_there", lambda *_arguments: None
    )
    assert page.upload(folder / "f", CONTENT).status_code == 200
    assert (folder / "f").read_bytes() == CONTENT


def test_what_is_there_is_replaced_only_when_asked_and_keeps_owner_and_mode(
    page: FilesPage, folder: Path
) -> None:
    path = folder / "config"
    path.write_bytes(b"old")
    os.chown(path, 12345, 23456)
    path.chmod(0o4750)
    answer = page.begin(path, b"new")
    assert refusal(answer) == "exists"
    assert answer.json()["error"]["fields"] == {"kind": "file"}
    assert page.upload(path, b"new", replace=True).status_code == 200
    assert path.read_bytes() == b"new"
    found = path.stat()
    assert (found.st_uid, found.st_gid) == (12345, 23456)
    assert stat.S_IMODE(found.st_mode) == 0o4750
    (line,) = told("upload")
    assert (line["size_before"], line["sha256_before"]) == (3, sha_of(b"old"))


def test_an_answer_that_was_lost_can_be_asked_for_again(
    page: FilesPage, folder: Path
) -> None:
    token = page.begin(folder / "f", CONTENT).json()["token"]
    page.piece(token, 0, CONTENT)
    first = page.finish(token, CONTENT).json()
    assert page.finish(token, CONTENT).json() == first
    assert refusal(page.finish(token, CONTENT[:-1])) == "offset"
    assert names(folder) == ["f"]
    assert len(told("upload")) == 1


def test_folders_and_links_are_not_replaced(page: FilesPage, folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "link").symlink_to("sub")
    for name, kind in (("sub", "folder"), ("link", "link")):
        answer = page.begin(folder / name, b"x", replace=True)
        assert refusal(answer) == "exists"
        assert answer.json()["error"]["fields"] == {"kind": kind}


def test_what_is_given_up_leaves_nothing(page: FilesPage, folder: Path) -> None:
    token = page.begin(folder / "f", CONTENT).json()["token"]
    page.piece(token, 0, CONTENT[:1000])
    assert page.call("host_files_abandon", token=token).status_code == 200
    assert names(folder) == []
    assert told("upload_stop")[0]["path"] == str(folder / "f")


def test_too_large_is_refused_before_a_byte_is_sent(
    page: FilesPage, folder: Path, settings: Any
) -> None:
    settings.FILES_UPLOAD_BYTES = 100
    answer = page.begin(folder / "f", b"x" * 101)
    assert (answer.status_code, refusal(answer)) == (413, "too_large")
    assert refusal(page.begin(folder / "f", b"", size=-1)) == "too_large"
    assert refusal(page.begin(folder / "f", b"", size="1")) == "bad_request"
    assert names(folder) == []


def test_a_token_is_good_for_its_user_and_host_only(
    page: FilesPage, place: Place, admin: User, hosts: list[Host], folder: Path
) -> None:
    token = page.begin(folder / "f", b"abc").json()["token"]
    assert order_of(place, token).size == 3
    for other in (Place(admin, place.host), Place(place.actor, hosts[1])):
        with pytest.raises(Exception, match="not known"):
            order_of(other, token)
    for bad in ("", "x", token[:-2] + "zz"):
        assert refusal(page.piece(bad, 0, b"abc")) == "bad_upload"


@pytest.mark.django_db(transaction=True)
def test_the_second_of_two_pieces_waits_for_the_first(
    place: Place, folder: Path
) -> None:
    path = os.fsencode(folder / "f")
    begun = uploads.begin(place=place, path=path, size=200, mark="1")
    ends: list[int] = []

    def send(offset: int) -> None:
        piece = bytes(100)
        at = uploads.take(
            place=place,
            token=begun.token,
            offset=offset,
            piece=uploads.Piece(io.BytesIO(piece), 100, sha_of(piece)),
        )
        ends.append(at)

    second = threading.Thread(target=send, args=(100,))
    second.start()
    second.join(0.3)
    assert second.is_alive()
    send(0)
    second.join(10)
    assert ends == [100, 200]


def test_so_many_transfers_at_a_time_and_no_more(
    page: FilesPage, folder: Path, settings: Any
) -> None:
    settings.FILES_TRANSFERS_MOST = 1
    first = page.begin(folder / "a", b"abc").json()["token"]
    second = page.begin(folder / "b", b"abc").json()["token"]
    page.piece(first, 0, b"a")
    answer = page.piece(second, 0, b"a")
    assert (answer.status_code, refusal(answer)) == (429, "too_many_transfers")
    page.piece(first, 1, b"bc")
    assert page.finish(first, b"abc").status_code == 200
    assert page.piece(second, 0, b"a").status_code == 200
