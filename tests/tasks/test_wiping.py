"""The private directory of a run is removed, whatever still writes there."""

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tasks import ansible_wiping


def test_a_folder_that_a_dying_process_still_writes_to_is_removed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "run-1"
    folder.mkdir()
    (folder / "key").write_text("secret")
    ended = threading.Event()

    def write() -> None:
        for number in range(500):
            # What it stands in goes at any moment.
            with suppress(OSError):
                folder.mkdir(exist_ok=True)
                (folder / str(number)).touch()
        ended.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not ended.is_set():
        ansible_wiping.wipe(folder)
    writer.join()
    ansible_wiping.wipe(folder)
    assert not folder.exists()


def test_a_folder_that_cannot_be_removed_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ansible_wiping, "WIPE_SECONDS", 0)
    monkeypatch.setattr("shutil.rmtree", lambda *a, **k: None)
    ansible_wiping.wipe(tmp_path)
    assert str(tmp_path) in caplog.text
