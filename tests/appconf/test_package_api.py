"""REST of the file of a package: in pieces, only for who may change packages, and never another file than the one that was said."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from delivery.building import tidying
from tests.app_factories import make_package
from tests.factories import make_user
from tests.tasks.run_api.api_things import error_of, token_of

pytestmark = pytest.mark.django_db
BODY = b"a package \x00 of bytes" * 500
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where packages lie in these tests."""
    settings.PACKAGES_DIR = tmp_path / "packages"
    return tmp_path / "packages"


class Sender:
    """Sends the file of a package by a token."""

    def __init__(self, user: User, pk: int, **limits: Any) -> None:
        token = token_of(user, **limits)
        self.client = Client(headers={"Authorization": f"Bearer {token}"})
        self.path = f"/api/v1/packages/{pk}/file/"

    def begin(self) -> Any:
        return self.client.post(self.path)

    def piece(self, ticket: str, data: bytes, offset: Any = 0) -> Any:
        return self.client.put(
            f"{self.path}{ticket}/?offset={offset}",
            data,
            content_type="application/octet-stream",
        )

    def finish(self, ticket: str, **told: Any) -> Any:
        return self.client.post(
            f"{self.path}{ticket}/finish/", told, content_type="application/json"
        )


def test_a_file_comes_in_pieces_and_is_kept(admin: User, folder: Path) -> None:
    package = make_package("jdk", "21")
    sender = Sender(admin, package.pk)
    begun = sender.begin()
    ticket = begun.json()["ticket"]
    assert (begun.status_code, begun.json()["offset"]) == (201, 0)
    assert sender.piece(ticket, BODY[:4000]).json()["offset"] == 4000
    wrong = sender.piece(ticket, b"x", offset=9)
    assert error_of(wrong, 409)["code"] == "wrong_offset"
    assert sender.piece(ticket, BODY[4000:], 4000).json()["offset"] == len(BODY)
    kept = sender.finish(ticket, name="../jdk.tar.gz", sha256=SHA256.upper())
    assert (kept.status_code, kept.json()) == (
        201,
        {
            "package": package.pk,
            "file_name": "jdk.tar.gz",
            "sha256": SHA256,
            "size": len(BODY),
        },
    )
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [SHA256]
    assert AuditEntry.objects.filter(verb="package.file").count() == 1


def test_another_file_than_the_one_that_was_said_is_not_kept(admin: User) -> None:
    package = make_package("jdk", "21")
    sender = Sender(admin, package.pk)
    ticket = sender.begin().json()["ticket"]
    sender.piece(ticket, BODY)
    refused = sender.finish(ticket, name="jdk", sha256="0" * 64)
    assert error_of(refused, 422)["code"] == "wrong_sha256"
    package.refresh_from_db()
    assert not package.has_file


def test_what_cannot_be_meant_is_refused(admin: User, settings: Any) -> None:
    sender = Sender(admin, make_package("jdk", "21").pk)
    ticket = sender.begin().json()["ticket"]
    for offset in ("-1", "1" * 5000, "x"):
        assert "offset" in error_of(sender.piece(ticket, b"x", offset), 422)["fields"]
    assert "name" in error_of(sender.finish(ticket), 422)["fields"]
    assert sender.piece("../../etc", b"x").status_code == 404
    assert sender.piece("0" * 32, b"x").status_code == 404
    # What is told of a piece is what holds.
    settings.PACKAGE_PIECE_BYTES = 50
    most = sender.begin().json()["piece_bytes"]
    assert sender.piece(ticket, BODY[: most + 1]).status_code == 413
    assert sender.piece(ticket, BODY[:most]).json()["offset"] == most == 50
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 40
    assert sender.piece(ticket, BODY[:41]).status_code == 413


def test_who_may_not_change_packages_sends_nothing(admin: User, folder: Path) -> None:
    package = make_package("jdk", "21")
    ticket = Sender(admin, package.pk).begin().json()["ticket"]
    reader = Sender(make_user("eve", perms=["appconf.view_package"]), package.pk)
    limited = Sender(admin, package.pk, can_write=False)
    for sender in (reader, limited):
        assert sender.begin().status_code == 403
        assert sender.piece(ticket, BODY).status_code == 403
        assert sender.finish(ticket, name="x").status_code == 403
    assert not [
        path for path in folder.rglob("*") if path.is_file() and path.stat().st_size
    ]
    assert not AuditEntry.objects.filter(verb="package.file").exists()


def test_only_so_many_files_have_begun_and_not_ended(
    admin: User, settings: Any, folder: Path
) -> None:
    settings.PACKAGE_UPLOADS_OPEN, settings.PACKAGE_UPLOADS_OPEN_BYTES = 2, 100
    one, other = (Sender(admin, make_package(name, "1").pk) for name in "pq")
    first, second = one.begin().json()["ticket"], other.begin().json()["ticket"]
    # All packages lie on one disk: another one does not help.
    for sender in (one, other):
        assert error_of(sender.begin(), 409)["code"] == "too_many_uploads"
    assert one.piece(first, b"x" * 60).status_code == 200
    refused = other.piece(second, b"x" * 60)
    assert error_of(refused, 409)["code"] == "too_many_uploads"
    assert sum(path.stat().st_size for path in folder.rglob("*.part")) == 60
    assert one.finish(first, name="p").status_code == 201
    assert other.piece(second, b"x" * 60).status_code == 200
    assert one.begin().status_code == 201


def test_what_does_not_go_on_makes_room_and_goes_by_the_clock(
    admin: User, settings: Any, folder: Path
) -> None:
    settings.PACKAGE_UPLOADS_OPEN, settings.PACKAGE_PIECE_HOURS = 1, 3
    sender = Sender(admin, make_package("jdk", "21").pk)

    def begun(hours: float) -> str:
        ticket: str = sender.begin().json()["ticket"]
        old = time.time() - hours * 3600
        os.utime(next(folder.rglob(f"*{ticket}.part")), (old, old))
        return ticket

    idle = begun(1.5)
    young = begun(0.5)
    assert sender.piece(idle, b"x").status_code == 404
    settings.PACKAGE_UPLOADS_OPEN = 3
    begun(3.5)
    assert tidying.tidy()["packages"] == 1
    assert [path.name.split("-")[1] for path in folder.rglob("*.part")] == [
        f"{young}.part"
    ]
