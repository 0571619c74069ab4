"""Archives that somebody sends: what is meant comes out, whatever else they try stays out."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from adminset.errors import DomainError
from delivery.artefacts.unpacking import unpack

File = tuple[str, Any]


def tar(*members: tarfile.TarInfo | File, mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            head = tarfile.TarInfo(member[0])
            data = member[1] if isinstance(member[1], bytes) else member[1].encode()
            head.size = len(data)
            archive.addfile(head, io.BytesIO(data))
    return out.getvalue()


def odd(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    head = tarfile.TarInfo(name)
    head.type, head.linkname = kind, target
    return head


def zipped(*members: tuple[str, str, int]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text, mode in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, text)
    return out.getvalue()


def unpacked(data: bytes, into: Path) -> int:
    into.mkdir(exist_ok=True)
    return unpack(io.BytesIO(data), len(data), into)


def everything_below(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_of_any_kind_gives_its_files_without_the_folder_around_them(
    mode: str, tmp_path: Path
) -> None:
    script = tarfile.TarInfo("app-1/run.sh")
    script.mode = 0o4755
    link = odd("app-1/now", tarfile.SYMTYPE, "lib/a.py")
    twin = odd("app-1/b.py", tarfile.LNKTYPE, "app-1/lib/a.py")
    data = tar(("app-1/lib/a.py", "one"), script, link, twin, mode=mode)
    assert unpacked(data, tmp_path / "x") == 6
    assert (tmp_path / "x/lib/a.py").read_text() == "one"
    assert (tmp_path / "x/b.py").read_text() == "one"
    assert (tmp_path / "x/now").readlink() == Path("lib/a.py")
    assert stat.S_IMODE((tmp_path / "x/run.sh").stat().st_mode) & 0o7777 == 0o755


def test_a_zip_keeps_links_and_what_may_be_executed(tmp_path: Path) -> None:
    data = zipped(
        ("bin/run", "#!/bin/sh\n", 0o100755),
        ("now", "bin/run", 0o120777),
        ("read.me", "x", 0),
    )
    unpacked(data, tmp_path / "x")
    assert os.access(tmp_path / "x/bin/run", os.X_OK)
    assert not os.access(tmp_path / "x/read.me", os.X_OK)
    assert (tmp_path / "x/now").readlink() == Path("bin/run")


EVIL = {
    "an absolute path": tar(("/etc/evil", "x")),
    "dots": tar(("a/../../evil", "x")),
    "a newline": tar(("a\nb", "x")),
    "a backslash": tar(("..\\evil", "x")),
    "no UTF-8": tar(("a\udcff", "x")),
    "an absolute link": tar(odd("a", tarfile.SYMTYPE, "/etc")),
    "a link out": tar(odd("a/b", tarfile.SYMTYPE, "../../x")),
    "links out by each other": tar(
        odd("d/up", tarfile.SYMTYPE, ".."), odd("z", tarfile.SYMTYPE, "d/up/../x")
    ),
    "links in a ring": tar(
        odd("a", tarfile.SYMTYPE, "b"), odd("b", tarfile.SYMTYPE, "a")
    ),
    "a file through a link": tar(odd("a", tarfile.SYMTYPE, "b"), ("a/x", "x")),
    "a file over a link": tar(odd("a", tarfile.SYMTYPE, "b"), ("a", "x")),
    "a file twice": tar(("a", "x"), ("a", "y")),
    "a file below a file": tar(("a", "x"), ("a/b", "y")),
    "a hard link out": tar(odd("a", tarfile.LNKTYPE, "../../etc/passwd")),
    "a hard link to /": tar(odd("a", tarfile.LNKTYPE, "/etc/passwd")),
    "a hard link to nothing": tar(odd("a", tarfile.LNKTYPE, "b")),
    "a device": tar(odd("a", tarfile.CHRTYPE)),
    "a pipe": tar(odd("a", tarfile.FIFOTYPE)),
    "a long name": tar(("a" * 300, "x")),
    "zip with dots": zipped(("../evil", "x", 0)),
    "zip with an absolute path": zipped(("/evil", "x", 0)),
    "zip with a link out": zipped(("a", "../x", 0o120777)),
    "zip with a device": zipped(("a", "", 0o020666)),
    "half of it": tar(("a", os.urandom(100_000)))[:50_000],
    "something else": b"MZ" + os.urandom(5000),
    "nothing": b"",
}


@pytest.mark.parametrize("data", EVIL.values(), ids=EVIL.keys())
def test_an_evil_archive_is_refused_and_nothing_is_outside(
    data: bytes, tmp_path: Path
) -> None:
    room = tmp_path / "room"
    room.mkdir()
    with pytest.raises(DomainError) as refused:
        unpacked(data, room / "x")
    assert refused.value.code == "bad_archive"
    assert {
        path
        for path in everything_below(tmp_path)
        if path.split("/")[:2] != ["room", "x"]
    } <= {"room"}


def test_a_bomb_is_stopped_before_it_fills_the_disk(
    tmp_path: Path, settings: Any
) -> None:
    settings.ARTEFACT_UPLOAD_RATIO = 10
    data = gzip.compress(tar(("zeros", b"\0" * 40_000_000), mode="w"), 9)
    with pytest.raises(DomainError, match="too large"):
        unpacked(data, tmp_path / "x")
    written = sum(p.stat().st_size for p in tmp_path.rglob("*") if p.is_file())
    assert written <= 20 * 2**20


def test_a_head_that_says_it_is_huge_is_not_read(tmp_path: Path) -> None:
    head = tarfile.TarInfo("x")
    head.type, head.size = tarfile.XHDTYPE, 5_000_000
    data = gzip.compress(head.tobuf() + b"0" * 5_000_192)
    with pytest.raises(DomainError, match="head"):
        unpacked(data, tmp_path / "x")


def test_too_many_files_are_refused(tmp_path: Path, settings: Any) -> None:
    settings.ARTEFACT_FILES = 5
    with pytest.raises(DomainError, match="too many"):
        unpacked(tar(*((f"f{n}", "") for n in range(6))), tmp_path / "x")
