"""What comes as an archive is read in memory: no path leads out, no link, no bomb."""

from __future__ import annotations

import io
import tarfile
import zipfile
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from adminset.errors import DomainError
from tasks.library.archives import role_files

GOOD = {"tasks/main.yml": b"- ping:\n", "files/a.txt": b"a\n"}


def _tar(files: dict[str, bytes], *members: tarfile.TarInfo) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for member in members:
            archive.addfile(member)
    return made.getvalue()


def _zip(files: dict[str, bytes], mode: int = 0) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return made.getvalue()


def _take(raw: bytes) -> dict[str, str]:
    return role_files(io.BytesIO(raw), len(raw))


@pytest.mark.parametrize("pack", [_tar, _zip])
@pytest.mark.parametrize("around", ["", "./", "my-role/", "./my-role-1.0/"])
def test_a_role_is_taken_and_the_folder_around_it_taken_off(
    pack: Any, around: str
) -> None:
    files = {around + name: data for name, data in GOOD.items()}
    assert _take(pack(files)) == {"tasks/main.yml": "- ping:\n", "files/a.txt": "a\n"}


@pytest.mark.parametrize("pack", [_tar, _zip])
@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "/etc/cron.d/x", "tasks\\..\\x", ".."]
)
def test_a_path_that_leads_out_is_refused(pack: Any, name: str) -> None:
    with pytest.raises((DomainError, ValidationError)):
        _take(pack({**GOOD, name: b"x"}))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "tasks/main.yml"])
def test_links_and_devices_are_refused(kind: bytes, target: str) -> None:
    member = tarfile.TarInfo("files/link")
    member.type, member.linkname = kind, target
    with pytest.raises(DomainError):
        _take(_tar(GOOD, member))


def test_a_link_in_a_zip_is_refused() -> None:
    with pytest.raises(DomainError, match="link"):
        _take(_zip({"files/link": b"/etc/passwd"}, mode=0o120777))


@pytest.mark.parametrize("pack", [_tar, _zip])
def test_bombs_are_stopped(pack: Any, settings: Any) -> None:
    settings.LIBRARY_ROLE_BYTES = 2**20
    for files in (
        {"files/zeros": b"\x00" * (2**20 + 1)},
        {f"files/{n}": b"0" * 2**16 for n in range(20)},
        {f"files/{n}": b"" for n in range(settings.LIBRARY_ROLE_FILES + 1)},
    ):
        with pytest.raises((DomainError, ValidationError)):
            _take(pack(files))


def test_a_ratio_no_role_has_is_refused(settings: Any) -> None:
    settings.LIBRARY_ROLE_BYTES = 64 * 2**20
    with pytest.raises(DomainError, match="too large"):
        _take(_zip({"files/zeros": b"0" * (40 * 2**20)}))


def test_headers_that_lie_about_a_size_are_of_no_use(settings: Any) -> None:
    settings.LIBRARY_ROLE_BYTES = 2**16
    raw = bytearray(_zip({"files/a": b"0" * 2**20}))
    # The size in the central directory says ten bytes.
    at = raw.rindex(b"PK\x01\x02") + 24
    raw[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises((DomainError, ValidationError)):
        _take(bytes(raw))


@pytest.mark.parametrize(
    "raw",
    [b"", b"no archive", b"\x1f\x8b\x08\x00", b"PK\x03\x04", _tar(GOOD)[:40]],
    ids=["nothing", "text", "start of gzip", "start of zip", "part of an archive"],
)
def test_what_is_no_archive_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(DomainError, match="no archive"):
        _take(raw)


def test_files_that_a_role_cannot_have_are_named() -> None:
    with pytest.raises(ValidationError, match=r"tasks/main.yml: Line 1"):
        _take(_tar({"tasks/main.yml": b"- : [\n"}))
    with pytest.raises(DomainError, match=r"files/a.png is no text"):
        _take(_tar({**GOOD, "files/a.png": b"\x89PNG\xff"}))


def test_what_systems_add_is_left_out() -> None:
    files = {
        **GOOD,
        "__MACOSX/x": b"\xff",
        ".git/config": b"x",
        "files/.DS_Store": b"\xff",
    }
    assert set(_take(_zip(files))) == set(GOOD)
