"""Our SFTP on a real sshd: names of any bytes, flat memory, refusals by their code."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.ssh import sftp as client
from tasks.ssh import sftp_wire as wire
from tasks.ssh.connect import Connection, connect
from tasks.ssh.hashes import sha256_there
from tasks.ssh.sftp import Sftp, open_sftp
from tasks.ssh.sftp_wire import Attributes, SftpError
from tasks.ssh.ways import Patience, dial_directly
from tests.farm import SshFarm

CONTENT = os.urandom(3 * 2**20 + 5)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    with SshFarm(1, tmp_path_factory.mktemp("farm")) as farm:
        made = connect(farm.targets()[0], Patience(10), dial_directly)
        yield made
        made.close()


@pytest.fixture
def sftp(connection: Connection) -> Iterator[Sftp]:
    made = open_sftp(connection, 10)
    yield made
    made.close()


def encoded(path: Path) -> bytes:
    return os.fsencode(path)


def write(sftp: Sftp, path: bytes, content: bytes) -> None:
    handle = sftp.open(path, wire.FOR_WRITING | wire.CREATE | wire.TRUNCATE)
    assert sftp.write(handle, 0, [content]) == len(content)
    sftp.sync(handle)
    sftp.shut(handle)


def test_what_is_written_is_read(sftp: Sftp, tmp_path: Path) -> None:
    path = encoded(tmp_path / "file")
    write(sftp, path, CONTENT)
    handle = sftp.open(path, wire.FOR_READING)
    assert b"".join(sftp.read(handle, 0, len(CONTENT) + 100)) == CONTENT
    assert b"".join(sftp.read(handle, 1000, 5000)) == CONTENT[1000:6000]
    assert b"".join(sftp.read(handle, len(CONTENT), 10)) == b""
    assert sftp.look_inside(handle).size == len(CONTENT)


def test_no_more_than_the_window_is_on_its_way(
    sftp: Sftp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    asked: list[int] = []
    request = sftp.request

    def counted(kind: int, *fields: bytes) -> int:
        asked.append(kind)
        return request(kind, *fields)

    monkeypatch.setattr(sftp, "request", counted)
    handle = sftp.open(encoded(tmp_path / "file"), wire.FOR_READING)
    pieces = sftp.read(handle, 0, len(CONTENT))
    next(pieces)
    most = client.WINDOW_BYTES // sftp.most_read + 1
    assert asked.count(wire.READ) <= most
    # A reader that goes away leaves a session that can be used.
    pieces.close()  # type: ignore[attr-defined]
    assert sftp.look_inside(handle).size == len(CONTENT)


def test_a_server_without_limits_is_asked_for_little(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sftp, "_limits", lambda self: (1000, 1000))
    sftp = open_sftp(connection, 10)
    path = encoded(tmp_path / "file")
    write(sftp, path, CONTENT[:100_001])
    handle = sftp.open(path, wire.FOR_READING)
    assert b"".join(sftp.read(handle, 0, 10**9)) == CONTENT[:100_001]
    sftp.close()


def test_names_are_bytes(sftp: Sftp, tmp_path: Path) -> None:
    names = [b"a\xffb", b"new\nline", "文件".encode(), b"sp ace", b"'\"`$"]
    for name in names:
        write(sftp, encoded(tmp_path) + b"/" + name, name)
    found = {entry.name: entry for entry in sftp.entries(encoded(tmp_path))}
    assert set(found) == set(names)
    assert found[b"a\xffb"].attributes.size == 3
    assert found[b"a\xffb"].line.endswith(b"a\xffb")


def test_refusals_bear_their_code(sftp: Sftp, tmp_path: Path) -> None:
    folder = encoded(tmp_path)
    cases = [
        (lambda: sftp.look(folder + b"/missing"), wire.MISSING),
        (lambda: list(sftp.entries(folder + b"/missing")), wire.MISSING),
        (lambda: sftp.make_folder(folder, 0o700), wire.FAILED),
        (lambda: sftp.remove(folder), wire.FAILED),
        (lambda: sftp.extended(b"nobody@example.org"), wire.UNKNOWN),
    ]
    for act, code in cases:
        with pytest.raises(SftpError) as refused:
            act()
        assert refused.value.code == code


def test_links_modes_and_renames(sftp: Sftp, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("tar\nget")
    assert sftp.read_link(encoded(tmp_path / "link")) == b"tar\nget"
    assert stat.S_ISLNK(sftp.look(encoded(tmp_path / "link")).mode or 0)
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_text("file")
    other.write_text("other")
    sftp.change(encoded(file), Attributes(mode=0o600, uid=7, gid=8))
    found = sftp.look(encoded(file))
    assert (found.uid, found.gid, stat.S_IMODE(found.mode or 0)) == (7, 8, 0o600)
    with pytest.raises(SftpError):
        sftp.rename(encoded(file), encoded(other))
    sftp.replace(encoded(file), encoded(other))
    assert other.read_text() == "file"
    up = encoded(tmp_path) + b"/../" + encoded(tmp_path).rpartition(b"/")[2]
    assert sftp.real_path(up) == encoded(tmp_path.resolve())


def test_many_questions_at_once_are_answered_in_order(
    sftp: Sftp, tmp_path: Path
) -> None:
    for number in range(0, 200, 2):
        (tmp_path / str(number)).write_bytes(b"x" * number)
    paths = [encoded(tmp_path / str(number)) for number in range(200)]
    answers = list(sftp.each(wire.STAT, paths))
    assert [a is not None for a in answers] == [n % 2 == 0 for n in range(200)]
    sizes = [a.attributes().size for a in answers if a is not None]
    assert sizes == list(range(0, 200, 2))


@pytest.mark.parametrize("name", [b"plain", b"sp ace'\"$(id)\n", b"b\xffd", b"-x"])
def test_a_hash_is_told_by_the_host(
    connection: Connection, tmp_path: Path, name: bytes
) -> None:
    path = encoded(tmp_path) + b"/" + name
    Path(os.fsdecode(path)).write_bytes(CONTENT)
    expected = hashlib.sha256(CONTENT).hexdigest()
    assert sha256_there(connection, path, 10) == expected
    assert sha256_there(connection, path + b"missing", 10) is None
    assert connection.sound


def test_what_is_set_is_set_on_the_very_file(sftp: Sftp, tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.touch(0o600)
    link.symlink_to("file")
    handle = sftp.open(encoded(file), wire.FOR_WRITING)
    file.rename(tmp_path / "moved")
    sftp.change_open(handle, Attributes(mode=0o640))
    sftp.shut(handle)
    assert stat.S_IMODE((tmp_path / "moved").stat().st_mode) == 0o640
    (tmp_path / "moved").rename(file)
    assert sftp.changes_links
    with pytest.raises(SftpError):
        sftp.change_itself(encoded(link), Attributes(mode=0o777))
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_disks_are_told_apart(sftp: Sftp, tmp_path: Path) -> None:
    here = sftp.disk_of(encoded(tmp_path))
    assert here == sftp.disk_of(encoded(tmp_path.parent))
    assert here != sftp.disk_of(b"/proc")
