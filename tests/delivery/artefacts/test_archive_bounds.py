"""Archives that cost more than they are: heads, holes, directories and folders are bounded before they are believed."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from adminset.errors import DomainError
from delivery.artefacts.unpacking import unpack


def raw_tar(*blocks: bytes) -> bytes:
    """Put heads together that no writer would write so."""
    return gzip.compress(b"".join(blocks) + bytes(1024), 1)


def head(name: str, **values: Any) -> bytes:
    made = tarfile.TarInfo(name)
    for key, value in values.items():
        setattr(made, key, value)
    return made.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def unpacked(data: bytes, into: Path) -> int:
    into.mkdir(exist_ok=True)
    return unpack(io.BytesIO(data), len(data), into)


def test_files_with_holes_are_refused_of_every_kind(tmp_path: Path) -> None:
    old = raw_tar(head("a", type=tarfile.GNUTYPE_SPARSE))
    kinds = (
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"},
        {"GNU.sparse.map": "0,1", "GNU.sparse.size": "1"},
        {"GNU.sparse.size": "1", "GNU.sparse.offset": "0"},
    )
    hole = b"1\n0\n0\n".ljust(512, b"\0")
    newer = [raw_tar(head("a", size=512, pax_headers=each), hole) for each in kinds]
    for number, data in enumerate([old, *newer]):
        into = tmp_path / str(number)
        with pytest.raises(DomainError, match="holes"):
            unpacked(data, into)
        assert list(into.iterdir()) == []


def test_what_heads_say_is_not_kept_in_memory(tmp_path: Path) -> None:
    words = {"comment": "x" * 100_000}
    data = raw_tar(*(head(f"f{number}", pax_headers=words) for number in range(300)))
    tracemalloc.start()
    unpacked(data, tmp_path / "into")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20
    assert len(list((tmp_path / "into").iterdir())) == 300


def test_what_is_said_for_all_that_follow_is_bounded(tmp_path: Path) -> None:
    blocks = []
    for number in range(60):
        words = {f"word{number}.{each}": "x" for each in range(10)}
        blocks += [tarfile.TarInfo.create_pax_global_header(words), head(f"f{number}")]
    with pytest.raises(DomainError, match="head that is too large"):
        unpacked(raw_tar(*blocks), tmp_path / "into")
    git = tarfile.TarInfo.create_pax_global_header({"comment": "f" * 40})
    unpacked(raw_tar(git, head("a/b")), tmp_path / "fine")
    assert (tmp_path / "fine" / "b").is_file()


def test_heads_count_like_files(tmp_path: Path, settings: Any) -> None:
    settings.ARTEFACT_FILES, settings.ARTEFACT_BYTES = 10, 64 * 1024
    data = raw_tar(head("a", pax_headers={"comment": "x" * 200_000}))
    with pytest.raises(DomainError, match="unpacks to is too large"):
        unpacked(data, tmp_path / "into")


def zip_of(count: int, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(count):
            info = zipfile.ZipInfo(f"f{number}")
            info.comment = comment
            archive.writestr(info, "")
    return out.getvalue()


def test_the_directory_of_a_zip_is_counted_before_it_is_read(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ARTEFACT_FILES = 50
    assert unpacked(zip_of(50), tmp_path / "fine") == 0

    def not_opened(*_given: Any) -> None:
        raise AssertionError("it was read into memory")

    monkeypatch.setattr(zipfile, "ZipFile", not_opened)
    many, long = zip_of_real(51), zip_of_real(2, b"x" * 20_000)
    for data in (many, many[:-22] + lying(many[-22:]), long):
        with pytest.raises(DomainError, match="too many files"):
            unpacked(data, tmp_path / "into")


REAL = zipfile.ZipFile


def zip_of_real(count: int, comment: bytes = b"") -> bytes:
    """Make a zip while ZipFile may not be used by what is tested."""
    patch = pytest.MonkeyPatch()
    with patch.context() as inner:
        inner.setattr(zipfile, "ZipFile", REAL)
        return zip_of(count, comment)


def lying(end: bytes) -> bytes:
    """Let the end of a zip say that it has one file."""
    return end[:8] + b"\1\0\1\0" + end[12:]


def test_folders_count_like_files(tmp_path: Path, settings: Any) -> None:
    settings.ARTEFACT_FILES = 100
    names = [f"{number}/a/b/x" for number in range(30)]
    with pytest.raises(DomainError, match="too many files"):
        unpacked(raw_tar(*map(head, names)), tmp_path / "into")
    assert len(list((tmp_path / "into").rglob("*"))) <= 101
    unpacked(raw_tar(*map(head, names[:20])), tmp_path / "fine")


def test_a_path_is_not_deeper_than_it_may_be(tmp_path: Path, settings: Any) -> None:
    settings.ARTEFACT_DEPTH = 10
    unpacked(raw_tar(head("a/" * 9 + "x"), head("y")), tmp_path / "fine")
    with pytest.raises(DomainError, match="more than 10 folders"):
        unpacked(raw_tar(head("a/" * 10 + "x"), head("y")), tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []
