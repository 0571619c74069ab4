"""Small texts: read, compared before they are saved, never saved over what somebody else changed."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from tests.tasks.hostfiles.things import FilesPage, sha_of, told

pytestmark = pytest.mark.django_db
OLD = "first\nsecond <b>\nthird\n"
NEW = "first\nsecond & more\nthird\n"


@pytest.fixture
def file(folder: Path) -> Path:
    """A configuration on the host."""
    made = folder / "app.conf"
    made.write_text(OLD)
    made.chmod(0o640)
    return made


def edit(
    page: FilesPage, file: Path, text: str, step: str, base: str, compared: str = ""
) -> Any:
    """Send the form; `compared` is the text whose difference was seen, else the one that is sent."""
    # A browser sends Windows line ends.
    sent = {"content": text.replace("\n", "\r\n"), "step": step, "base": base}
    sent["compared"] = sha_of((compared or text).encode())
    return page.client.post(page.url("host_files_edit", file), sent)


def test_a_text_is_shown_as_text(page: FilesPage, file: Path) -> None:
    answer = page.get("host_files_view", file)
    text = answer.content.decode()
    assert "<li>second &lt;b&gt;</li>" in text
    line = {"path": str(file), "size": len(OLD), "sha256": sha_of(OLD.encode())}
    assert told("view") == [line]


def test_a_change_is_compared_first_and_then_saved(page: FilesPage, file: Path) -> None:
    base = sha_of(OLD.encode())
    assert f'value="{base}"' in page.get("host_files_edit", file).content.decode()
    answer = edit(page, file, NEW, "compare", base)
    text = answer.content.decode()
    assert "second &amp; more" in text
    assert "is-removed" in text
    assert file.read_text() == OLD
    answer = edit(page, file, NEW, "save", base)
    assert answer.status_code == 302
    assert file.read_text() == NEW
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(file.parent.iterdir()) == [file]
    (line,) = told("edit")
    assert line == {
        "path": str(file),
        "size": len(NEW),
        "sha256": sha_of(NEW.encode()),
        "size_before": len(OLD),
        "sha256_before": base,
    }


def test_what_others_changed_meanwhile_is_shown_and_not_overwritten(
    page: FilesPage, file: Path
) -> None:
    base = sha_of(OLD.encode())
    theirs = OLD + "theirs\n"
    file.write_text(theirs)
    answer = edit(page, file, NEW, "save", base)
    text = answer.content.decode()
    assert "changed on the host meanwhile" in text
    assert "theirs" in text
    assert file.read_text() == theirs
    assert told("edit") == []
    # Whoever has seen the difference may still decide for the own text.
    assert edit(page, file, NEW, "save", sha_of(theirs.encode())).status_code == 302
    assert file.read_text() == NEW


def test_what_is_typed_after_the_comparison_is_compared_before_it_is_saved(
    page: FilesPage, file: Path
) -> None:
    base, more = sha_of(OLD.encode()), NEW + "one line more\n"
    answer = edit(page, file, more, "save", base, compared=NEW)
    assert answer.status_code == 200
    assert file.read_text() == OLD
    assert told("edit") == []
    text = answer.content.decode()
    assert "one line more" in text
    assert "you typed on after you compared" in text
    assert f'name="compared" value="{sha_of(more.encode())}"' in text
    assert edit(page, file, more, "save", base).status_code == 302
    assert file.read_text() == more


def test_without_a_comparison_nothing_is_saved(page: FilesPage, file: Path) -> None:
    base = sha_of(OLD.encode())
    for sent in ({}, {"base": base}, {"compared": sha_of(NEW.encode())}):
        form = {"content": NEW, "step": "save"} | sent
        answer = page.client.post(page.url("host_files_edit", file), form)
        assert answer.status_code == 200
        assert file.read_text() == OLD


def test_a_change_between_the_last_look_and_the_saving_is_noticed(
    page: FilesPage, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def verify(*_arguments: Any, **_named: Any) -> None:
        file.write_text("theirs\n")

    monkeypatch.setattr("tasks.hostfiles.placing.verify", verify)
    answer = edit(page, file, NEW, "save", sha_of(OLD.encode()))
    assert answer.status_code == 422
    assert file.read_text() == "theirs\n"
    assert list(file.parent.iterdir()) == [file]


def test_line_ends_stay_as_they_were(page: FilesPage, file: Path) -> None:
    file.write_bytes(b"one\r\ntwo\r\n")
    base = sha_of(b"one\r\ntwo\r\n")
    shown = edit(page, file, "one\nTWO\n", "compare", base).content.decode()
    assert "U+000D" not in shown
    edit(page, file, "one\nTWO\n", "save", base, compared="one\r\nTWO\r\n")
    assert file.read_bytes() == b"one\r\nTWO\r\n"
    file.write_bytes(b"no end of line")
    edit(page, file, "no end", "save", sha_of(b"no end of line"))
    assert file.read_bytes() == b"no end"


def test_bytes_that_are_no_text_are_not_edited(page: FilesPage, file: Path) -> None:
    file.write_bytes(b"\xff\xfe binary \x00")
    assert (
        "can only be downloaded" in page.get("host_files_view", file).content.decode()
    )
    assert page.get("host_files_edit", file).status_code == 422
    edit(page, file, "text", "save", sha_of(file.read_bytes()))
    assert file.read_bytes() == b"\xff\xfe binary \x00"


def test_long_texts_are_not_shown(page: FilesPage, file: Path, settings: Any) -> None:
    settings.FILES_TEXT_BYTES = 1024
    file.write_bytes(b"x" * 1025)
    assert page.get("host_files_view", file).status_code == 422
    file.write_bytes(b"x")
    answer = edit(page, file, "y" * 2000, "save", sha_of(b"x"))
    assert answer.status_code == 422
    assert file.read_bytes() == b"x"


def test_what_proc_has_can_be_read(page: FilesPage) -> None:
    answer = page.get("host_files_view", Path("/proc/version"))
    assert "Linux" in answer.content.decode()


def test_hidden_signs_of_a_text_are_seen(page: FilesPage, file: Path) -> None:
    file.write_text("a\u202eb\x1b[0m")
    text = page.get("host_files_view", file).content.decode()
    assert "a[U+202E]b[U+001B][0m" in text
