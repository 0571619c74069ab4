"""Uploads that nobody goes on with: removed from the host later; and no gate of theirs stays in this process."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.checks import run_checks

from adminset.errors import DomainError
from tasks.hostfiles import hands, uploads
from tasks.hostfiles.access import Place
from tasks.hostfiles.orders import ORDER_SECONDS, order_of
from tests.tasks.hostfiles.things import FilesPage, refusal, told

pytestmark = pytest.mark.django_db
WEEK = ORDER_SECONDS + 60


def begun(page: FilesPage, path: Path) -> Path:
    """Begin an upload and send a piece; gives the folder in which it lies."""
    before = set(path.parent.glob(".adminset-*"))
    token = page.begin(path, b"content").json()["token"]
    assert page.piece(token, 0, b"cont").status_code == 200
    (stage,) = set(path.parent.glob(".adminset-*")) - before
    return stage


def aged(*paths: Path) -> None:
    """Make as if nobody had written there for a week."""
    then = time.time() - WEEK
    for path in paths:
        os.utime(path, (then, then))


def test_what_was_forgotten_for_a_week_goes_with_the_next_upload(
    page: FilesPage, folder: Path
) -> None:
    forgotten, halted, fresh = (begun(page, folder / name) for name in "abc")
    strange, open_to_all = (folder / f".adminset-{digit * 24}" for digit in "de")
    strange.mkdir(0o700)
    (strange / "notes.txt").touch()
    open_to_all.mkdir(0o755)
    aged(*forgotten.iterdir(), forgotten, halted, strange / "notes.txt", strange)
    aged(open_to_all)
    hands.HANDS.close()
    cache.clear()
    page.begin(folder / "new", b"x")
    assert not forgotten.exists()
    # A piece came within the week; not ours; not private.
    for kept in (halted, fresh, strange, open_to_all):
        assert kept.is_dir()
    assert told("upload_stop") == [{"path": str(forgotten)}]


def test_forgotten_ones_are_looked_for_once_in_a_while(
    page: FilesPage, folder: Path
) -> None:
    stage = begun(page, folder / "a")
    aged(*stage.iterdir(), stage)
    page.begin(folder / "b", b"x")
    assert stage.is_dir()


def test_of_an_upload_that_broke_nothing_stays(
    place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.fsencode(folder / "f")
    order = order_of(
        place, uploads.begin(place=place, path=path, size=9, mark="1").token
    )

    def refuses(*_given: Any) -> None:
        raise DomainError("no")

    with hands.hand_of(order, place.host) as hand, pytest.raises(DomainError):
        hand.work(refuses)
    assert len(hands.HANDS) == 0
    monkeypatch.setattr(hands.Hand, "open", refuses)
    with pytest.raises(DomainError), hands.hand_of(order, place.host):
        pytest.fail("it is open")
    assert len(hands.HANDS) == 0


def test_who_comes_while_it_cannot_be_opened_opens_it_by_turns(
    place: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = os.fsencode(folder / "f")
    order = order_of(
        place, uploads.begin(place=place, path=path, size=9, mark="1").token
    )
    inside, most, tries = [], [], threading.Semaphore(0)

    def opens(hand: hands.Hand, _host: object) -> None:
        inside.append(hand)
        most.append(len(inside))
        tries.acquire(timeout=5)
        inside.remove(hand)
        raise DomainError("no")

    def come() -> None:
        with pytest.raises(DomainError), hands.hand_of(order, place.host):
            pytest.fail("it is open")

    monkeypatch.setattr(hands.Hand, "open", opens)
    threads = [threading.Thread(target=come) for _each in range(3)]
    for thread in threads:
        thread.start()
    for _thread in threads:
        tries.release()
    for thread in threads:
        thread.join(10)
    assert most == [1, 1, 1]
    assert len(hands.HANDS) == 0


def test_a_hash_and_a_comparison_count_as_transfers(
    page: FilesPage, folder: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FILES_TRANSFERS_MOST = 1
    (folder / "file").write_bytes(b"x")
    token = page.begin(folder / "f", b"abc").json()["token"]
    page.piece(token, 0, b"abc")
    assert refusal(page.call("host_files_hash", folder / "file")) == (
        "too_many_transfers"
    )
    place_it, said = uploads._place, []

    def meanwhile(*given: Any, **named: Any) -> Any:
        said.append(refusal(page.call("host_files_hash", folder / "file")))
        return place_it(*given, **named)

    monkeypatch.setattr(uploads, "_place", meanwhile)
    assert page.finish(token, b"abc").status_code == 200
    assert said == ["too_many_transfers"]
    assert page.call("host_files_hash", folder / "file").status_code == 200


def test_a_piece_larger_than_a_request_is_told_at_the_start(settings: Any) -> None:
    assert "tasks.E001" not in {message.id for message in run_checks()}
    settings.FILES_PIECE_BYTES = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
    assert "tasks.E001" in {message.id for message in run_checks()}


def test_what_is_no_file_is_not_written_on(page: FilesPage, folder: Path) -> None:
    token = page.begin(folder / "f", b"content").json()["token"]
    assert page.piece(token, 0, b"cont").status_code == 200
    hands.HANDS.close()
    (part,) = folder.glob(".adminset-*/part-*")
    part.unlink()
    part.symlink_to("/dev/null")
    assert refusal(page.piece(token, 0, b"content")) == "bad_stage"
    assert refusal(page.begin(folder / "f", b"content")) == "bad_stage"
