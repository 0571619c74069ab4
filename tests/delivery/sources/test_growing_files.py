"""Uploads are what was hashed: one process at a time writes, none afterwards; and there are not too many of them."""

from __future__ import annotations

import io
import os
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from adminset import growing_files
from adminset.errors import Conflict, DomainError, NotFound
from appconf import package_pieces, package_store
from appconf.models import Package, Project
from delivery.sources import uploads
from delivery.sources.face import Ref
from delivery.sources.opening import source_of
from tests.app_factories import make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(db: None, settings: Any, tmp_path: Path) -> Project:
    settings.PACKAGES_DIR = tmp_path / "packages"
    return make_project(source_type="upload")


def archive() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as file:
        file.addfile(tarfile.TarInfo("x"))
    return out.getvalue()


def part_of(project: Project, ticket: str) -> Path:
    folder = Path(settings.BUILD_DIR) / "uploads" / str(project.pk)
    return folder / f"{ticket}.part"


def late(
    part: Path, place: Path, write: Callable[[], Any], patch: pytest.MonkeyPatch
) -> list[DomainError]:
    """Let a piece come while a file is being ended; give what became of it."""
    waits, came = threading.Event(), list[DomainError]()

    def write_it() -> None:
        try:
            write()
        except DomainError as error:
            came.append(error)

    real = time.sleep

    def sleep(seconds: float) -> None:
        waits.set()
        real(seconds)

    patch.setattr(time, "sleep", sleep)
    patch.setattr(growing_files, "PATIENCE_SECONDS", 60.0)
    with growing_files.held(part) as file:
        thread = threading.Thread(target=write_it)
        thread.start()
        assert waits.wait(60)
        growing_files.settle(file, place)
    thread.join(60)
    return came


def test_a_piece_that_comes_while_an_upload_ends_changes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ticket = uploads.begin(project=project)
    uploads.add_piece(project=project, ticket=ticket, offset=0, data=b"hashed")
    came = late(
        part_of(project, ticket),
        tmp_path / "place",
        lambda: uploads.add_piece(
            project=project, ticket=ticket, offset=6, data=b" and more"
        ),
        monkeypatch,
    )
    assert [getattr(error, "code", error) for error in came] == ["no_such_upload"]
    assert (tmp_path / "place").read_bytes() == b"hashed"
    assert (tmp_path / "place").stat().st_mode & 0o777 == 0o400


def test_a_piece_of_a_package_that_comes_too_late_changes_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = Package.objects.create(name="p", version="1")
    ticket = package_pieces.begin(package)
    package_pieces.add(package, ticket, 0, b"hashed")
    part = next((tmp_path / "packages" / "incoming").glob("*.part"))
    came = late(
        part,
        tmp_path / "place",
        lambda: package_pieces.add(package, ticket, 6, b"more"),
        monkeypatch,
    )
    assert [getattr(error, "code", error) for error in came] == ["no_such_upload"]
    assert (tmp_path / "place").read_bytes() == b"hashed"


def test_two_at_once_do_not_write_or_end_an_upload(
    project: Project, admin: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(growing_files, "PATIENCE_SECONDS", 0.1)
    ticket = uploads.begin(project=project)
    package = Package.objects.create(name="p", version="1")
    other = package_pieces.begin(package)
    part = next((tmp_path / "packages" / "incoming").glob("*.part"))
    with (
        growing_files.held(part_of(project, ticket)),
        growing_files.held(part),
    ):
        for busy in (
            lambda: uploads.add_piece(
                project=project, ticket=ticket, offset=0, data=b"x"
            ),
            lambda: uploads.finish(
                actor=admin, project=project, ticket=ticket, name="x"
            ),
            lambda: package_pieces.add(package, other, 0, b"x"),
            lambda: package_pieces.finish(package, other),
        ):
            with pytest.raises(Conflict) as caught:
                busy()
            assert caught.value.code == "upload_busy"
    assert uploads.uploads_of(project) == []
    sha256, size = package_pieces.finish(package, other)
    assert package_store.path_of(sha256).stat().st_size == size == 0


def test_a_piece_that_comes_once_more_is_done_in_both(project: Project) -> None:
    """Its sender did not hear that it came: that is no conflict, and nothing is there twice."""
    package = Package.objects.create(name="p", version="1")
    upload, other = uploads.begin(project=project), package_pieces.begin(package)
    for offset, data, size in ((0, b"one ", 4), (4, b"two", 7), (4, b"two", 7)):
        came = uploads.add_piece(
            project=project, ticket=upload, offset=offset, data=data
        )
        assert came == package_pieces.add(package, other, offset, data) == size
    for add in (
        lambda: uploads.add_piece(
            project=project, ticket=upload, offset=4, data=b"six"
        ),
        lambda: package_pieces.add(package, other, 4, b"six"),
    ):
        with pytest.raises(Conflict, match="7 bytes are there"):
            add()
    sha256, _size = package_pieces.finish(package, other)
    assert package_store.path_of(sha256).read_bytes() == b"one two"


def test_a_ticket_of_another_package_finds_nothing(project: Project) -> None:
    one, two = (Package.objects.create(name=name, version="1") for name in "pq")
    ticket = package_pieces.begin(one)
    with pytest.raises(NotFound):
        package_pieces.add(two, ticket, 0, b"x")


def test_an_upload_that_is_not_what_it_was_is_not_unpacked(
    project: Project, admin: User, into: Path
) -> None:
    kept = uploads.keep(actor=admin, project=project, name="x", chunks=[archive()])
    path = uploads.path_of(project, kept.sha256)
    path.chmod(0o600)
    path.write_bytes(archive() + b"\0")
    with pytest.raises(DomainError, match="not what it was"):
        source_of(project, actor=admin).fetch(Ref("upload", kept.sha256), into)
    assert list(into.iterdir()) == []


def test_a_project_has_only_so_many_uploads_that_have_not_ended(
    project: Project, admin: User, settings: Any
) -> None:
    settings.ARTEFACT_UPLOADS_OPEN, settings.ARTEFACT_UPLOADS_OPEN_BYTES = 2, 100
    first, second = uploads.begin(project=project), uploads.begin(project=project)
    with pytest.raises(Conflict, match="Too many archives"):
        uploads.begin(project=project)
    uploads.begin(project=make_project(source_type="upload"))
    uploads.add_piece(project=project, ticket=first, offset=0, data=b"x" * 60)
    with pytest.raises(Conflict, match="Too many archives"):
        uploads.add_piece(project=project, ticket=second, offset=0, data=b"x" * 60)
    uploads.finish(actor=admin, project=project, ticket=first, name="x")
    uploads.add_piece(project=project, ticket=second, offset=0, data=b"x" * 60)
    third = uploads.begin(project=project)
    old = time.time() - growing_files.IDLE_SECONDS - 60
    os.utime(part_of(project, second), (old, old))
    uploads.begin(project=project)
    assert part_of(project, third).is_file()
    with pytest.raises(DomainError, match="no such upload"):
        uploads.add_piece(project=project, ticket=second, offset=60, data=b"x")
