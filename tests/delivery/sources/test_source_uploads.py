"""Archives that are sent to a project: in pieces, with their SHA-256, delivered like a commit."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Conflict, DomainError
from adminset.models import AuditEntry
from appconf.models import Project
from delivery.sources import uploads
from delivery.sources.face import Ref
from delivery.sources.opening import source_of
from tests.app_factories import make_project

pytestmark = pytest.mark.django_db


def archive(text: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as file:
        head = tarfile.TarInfo("app/main.py")
        head.size = len(text)
        file.addfile(head, io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.fixture
def uploaded(db: None) -> Project:
    return make_project(source_type="upload")


def test_an_upload_in_pieces_is_delivered_like_a_commit(
    uploaded: Project, admin: User, tmp_path: Path
) -> None:
    data = archive("one")
    sha256 = hashlib.sha256(data).hexdigest()
    ticket = uploads.begin(project=uploaded)
    assert uploads.add_piece(project=uploaded, ticket=ticket, offset=0, data=data[:50])
    with pytest.raises(Conflict, match="50 bytes"):
        uploads.add_piece(project=uploaded, ticket=ticket, offset=10, data=b"x")
    uploads.add_piece(project=uploaded, ticket=ticket, offset=50, data=data[50:])
    made = uploads.finish(
        actor=admin, project=uploaded, ticket=ticket, name="a\u202e.tgz", sha256=sha256
    )
    assert (made.sha256, made.size, made.name) == (sha256, len(data), "a[U+202E].tgz")
    assert AuditEntry.objects.get(verb="source.upload").actor == admin
    source = source_of(uploaded, actor=admin)
    assert [tag.name for tag in source.refs().tags] == [sha256]
    assert source.commits(until=Ref("upload", sha256)).commits[0].id == sha256
    into = tmp_path / "into"
    into.mkdir()
    fetched = source.fetch(Ref("upload", sha256), into)
    assert (fetched.commit, fetched.words) == (sha256, made.name)
    assert (into / "main.py").read_text() == "one"


def test_what_is_broken_on_its_way_is_not_kept(uploaded: Project, admin: User) -> None:
    ticket = uploads.begin(project=uploaded)
    uploads.add_piece(project=uploaded, ticket=ticket, offset=0, data=b"half")
    with pytest.raises(DomainError, match="another SHA-256"):
        uploads.finish(
            actor=admin, project=uploaded, ticket=ticket, name="x", sha256="0" * 64
        )
    assert uploads.uploads_of(uploaded) == []
    assert AuditEntry.objects.filter(verb="source.upload").count() == 0


@pytest.mark.parametrize("name", ["../1/x", "x", "", "0" * 64, "\0"])
def test_nothing_but_uploads_of_the_project_is_given(
    name: str, uploaded: Project, admin: User, tmp_path: Path
) -> None:
    other = make_project(source_type="upload")
    kept = uploads.keep(actor=admin, project=other, name="x", chunks=[archive("x")])
    source = source_of(uploaded, actor=admin)
    for asked in (name, kept.sha256):
        with pytest.raises(DomainError):
            source.fetch(Ref("upload", asked), tmp_path)
    with pytest.raises(DomainError):
        uploads.add_piece(project=uploaded, ticket=name, offset=0, data=b"")


def test_uploads_have_a_size_and_an_age(
    uploaded: Project, admin: User, settings: Any
) -> None:
    settings.ARTEFACT_UPLOAD_BYTES = 10
    with pytest.raises(DomainError, match="larger"):
        uploads.keep(actor=admin, project=uploaded, name="x", chunks=[b"x" * 11])
    kept = uploads.keep(actor=admin, project=uploaded, name="x", chunks=[b"x"])
    assert uploads.clean() == 0
    old = time.time() - 40 * 86_400
    path = uploads.path_of(uploaded, kept.sha256)
    for each in path.parent.iterdir():
        os.utime(each, (old, old))
    assert uploads.clean() == 2
    assert uploads.uploads_of(uploaded) == []
