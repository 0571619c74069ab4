"""Bytes under their SHA-256: whole or not there, once, and mended by whoever brings them again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adminset.blobs import Blobs
from adminset.errors import DomainError

BLOBS = Blobs("LIBRARY_DIR", "ADMINSET_LIBRARY_FILE_BYTES")
ONE = hashlib.sha256(b"one").hexdigest()


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.LIBRARY_DIR = tmp_path / "blobs"
    return tmp_path / "blobs"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_bytes_are_kept_once_and_may_not_be_written(folder: Path) -> None:
    assert BLOBS.keep([b"o", b"ne"], 3) == (ONE, 3)
    assert BLOBS.keep([b"one"], 3) == (ONE, 3)
    assert names(folder) == [ONE]
    assert BLOBS.path_of(ONE) == folder / ONE[:2] / ONE
    assert BLOBS.path_of(ONE).stat().st_mode & 0o777 == 0o400


def test_damaged_bytes_are_mended_by_whoever_brings_them_again() -> None:
    BLOBS.keep([b"one"], 3)
    BLOBS.path_of(ONE).chmod(0o600)
    BLOBS.path_of(ONE).write_bytes(b"eno")
    BLOBS.keep([b"one"], 3)
    assert BLOBS.path_of(ONE).read_bytes() == b"one"


def test_too_many_bytes_leave_nothing_and_say_how_to_allow_them(folder: Path) -> None:
    with pytest.raises(DomainError) as told:
        BLOBS.keep([b"one", b"two"], 5)
    assert (told.value.status, told.value.code) == (413, "too_large")
    assert "ADMINSET_LIBRARY_FILE_BYTES" in told.value.hint
    assert names(folder) == []


def test_a_sender_that_breaks_off_leaves_nothing(folder: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise OSError("broken off")

    with pytest.raises(OSError, match="broken off"):
        BLOBS.keep(broken(), 100)
    assert names(folder) == []


@pytest.mark.parametrize("name", ["", "../x", "a" * 63, "A" * 64, "a" * 64 + "\n"])
def test_only_a_sha256_names_bytes(name: str) -> None:
    with pytest.raises(DomainError, match="is no SHA-256"):
        BLOBS.path_of(name)
