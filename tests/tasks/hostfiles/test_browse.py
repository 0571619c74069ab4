"""Looking into folders: what a row says, odd names, links that are shown and not followed, limits."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.hostfiles import listing
from tasks.hostfiles.access import Place
from tasks.hostfiles.door import files_of, transfer_of
from tasks.hostfiles.listing import Listing, list_folder
from tasks.hostfiles.paths import written
from tests.tasks.hostfiles.things import ODD_NAMES, FilesPage, told

pytestmark = pytest.mark.django_db


def listed(place: Place, folder: Path, **how: str) -> Listing:
    with files_of(place.host) as files:
        return list_folder(files, os.fsencode(folder), **how)


def test_a_row_says_owner_mode_size_and_time(place: Place, folder: Path) -> None:
    file = folder / "notes.txt"
    file.write_bytes(b"x" * 1234)
    file.chmod(0o640)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    (row,) = listed(place, folder).rows
    assert (row.name, row.kind, row.size) == ("notes.txt", "file", 1234)
    assert (row.mode, row.octal) == ("-rw-r-----", "0640")
    assert (row.owner, row.group) == (file.owner(), file.group())
    assert row.changed is not None
    assert row.changed.timestamp() == 1_700_000_000


def test_odd_names_are_listed_and_lead_to_their_files(
    page: FilesPage, folder: Path
) -> None:
    for number, name in enumerate(ODD_NAMES):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text(f"n{number}")
    answer = page.rows(folder)
    assert answer.status_code == 200
    text = answer.content.decode()
    for number, name in enumerate(ODD_NAMES):
        path = os.fsencode(folder) + b"/" + name
        assert f'data-path="{written(path)}"' in text
        assert f"n{number}" in page.get("host_files_view", path).content.decode()
    assert not (folder / "pwned").exists()


def test_folders_come_first_and_the_rest_is_sorted_as_asked(
    place: Place, folder: Path
) -> None:
    (folder / "z-folder").mkdir()
    for name, size in (("b", 1), ("a", 30), ("C", 2)):
        (folder / name).write_bytes(b"x" * size)
    names = [row.name for row in listed(place, folder).rows]
    assert names == ["z-folder", "a", "b", "C"]
    names = [row.name for row in listed(place, folder, order="-size").rows]
    assert names == ["z-folder", "a", "C", "b"]
    names = [row.name for row in listed(place, folder, needle="Z-F").rows]
    assert names == ["z-folder"]


def test_a_link_says_where_it_leads_and_is_not_followed(
    page: FilesPage, place: Place, folder: Path
) -> None:
    (folder / "real").mkdir()
    (folder / "real" / "secret.txt").write_text("inside")
    (folder / "way").symlink_to("real")
    (folder / "lost").symlink_to("nowhere")
    rows = {row.name: row for row in listed(place, folder).rows}
    assert (rows["way"].leads_to, rows["way"].leads_kind) == ("real", "folder")
    assert (rows["lost"].leads_to, rows["lost"].leads_kind) == ("nowhere", "")
    # The link itself, and a path through it: both are told, with the way to the true one.
    answer = page.rows(folder / "way")
    assert "secret.txt" not in answer.content.decode()
    true = written(os.fsencode(folder / "real"))
    assert f'data-go="{true}"' in answer.content.decode()
    answer = page.get("host_files_view", folder / "way" / "secret.txt")
    assert answer.status_code == 409
    assert "inside" not in answer.content.decode()
    assert told("view") == []


def test_a_folder_with_too_many_names_is_cut_and_can_be_searched(
    page: FilesPage, place: Place, folder: Path, settings: object
) -> None:
    settings.FILES_ROWS_MOST = 10  # type: ignore[attr-defined]
    for number in range(25):
        (folder / f"file{number:02}").touch()
    found = listed(place, folder)
    assert (len(found.rows), found.is_cut) == (10, True)
    assert "There are more" in page.rows(folder).content.decode()
    found = listed(place, folder, needle="file2")
    assert (len(found.rows), found.is_cut) == (5, False)


@pytest.mark.parametrize("bound", ["names", "seconds"])
def test_a_search_ends_where_it_takes_too_long(
    place: Place,
    folder: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
) -> None:
    for number in range(25):
        (folder / f"file{number:02}").touch()
    assert not listed(place, folder, needle="nothing").is_cut
    if bound == "names":
        settings.FILES_TREE_MOST = 10
    else:
        monkeypatch.setattr(listing, "SEARCH_SECONDS", -1.0)
    found = listed(place, folder, needle="nothing")
    assert (found.rows, found.is_cut) == ([], True)


def test_a_search_counts_as_a_transfer(
    page: FilesPage, place: Place, folder: Path, settings: Any
) -> None:
    settings.FILES_TRANSFERS_MOST = 1
    (folder / "file").touch()
    with transfer_of(place.actor.pk):
        assert "file" in page.rows(folder).content.decode()
        assert "transfers going on" in page.rows(folder, q="f").content.decode()
    assert "transfers going on" not in page.rows(folder, q="f").content.decode()


def test_an_order_that_is_none_is_that_by_name(page: FilesPage, folder: Path) -> None:
    (folder / "file").touch()
    text = page.rows(folder, order="zzz").content.decode()
    assert "zzz" not in text
    assert 'aria-sort="ascending"' in text


def test_without_a_path_one_begins_at_home(place: Place) -> None:
    with files_of(place.host) as files:
        found = list_folder(files, b"")
    assert found.path == found.home == written(os.fsencode(Path.home()))


def test_what_is_not_there_is_said_in_its_place(page: FilesPage, folder: Path) -> None:
    answer = page.rows(folder / "<script>")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "There is no" in text
    assert "<script>" not in text
    (folder / "plain").touch()
    assert "is no folder" in page.rows(folder / "plain").content.decode()


def test_looking_is_told_once_in_a_while(page: FilesPage, folder: Path) -> None:
    page.rows(folder)
    page.rows(folder)
    page.rows(folder.parent)
    assert [line["path"] for line in told("list")] == [str(folder), str(folder.parent)]


def test_a_connection_is_kept_after_a_refusal(place: Place, folder: Path) -> None:
    with files_of(place.host) as files:
        kept = files.connection
    for _time in range(3):
        with pytest.raises(Exception, match="There is no"):
            listed(place, folder / "missing")
    with files_of(place.host) as files:
        assert files.connection is kept


def test_a_thousand_names_come_quickly(place: Place, folder: Path) -> None:
    for number in range(900):
        (folder / f"f{number}").touch()
    for number in range(100):
        (folder / f"l{number}").symlink_to(f"f{number}")
    began = time.monotonic()
    rows = listed(place, folder).rows
    assert len(rows) == 1000
    assert sum(row.leads_kind == "file" for row in rows) == 100
    assert time.monotonic() - began < 5
