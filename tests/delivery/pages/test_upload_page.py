"""Sending an archive: kept under its SHA-256, offered in the form of a deploy, refused with words where it is another one."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from appconf.models import Project
from delivery.asked import answerers
from delivery.asked.answering import answer
from delivery.models import Deploy
from delivery.sources.uploads import uploads_of
from tests.delivery.pages.conftest import Place

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]


@pytest.fixture
def client(client_of: Signed, deployer: User, here: Place) -> Client:
    Project.objects.update(source_type="upload")
    return client_of(deployer)


def archive() -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        about = tarfile.TarInfo("app.py")
        about.size = 3
        tar.addfile(about, io.BytesIO(b"one"))
    return made.getvalue()


def send(client: Client, place: Place, data: bytes, **fields: Any) -> Any:
    sent = SimpleUploadedFile("shop.tar.gz", data)
    address = reverse("delivery:pipeline_upload", args=[place.pipeline.pk])
    return client.post(address, {"archive": sent, **fields})


def test_an_archive_is_kept_and_offered(client: Client, here: Place) -> None:
    data = archive()
    sha256 = hashlib.sha256(data).hexdigest()
    answer = send(client, here, data, sha256=sha256)
    assert answer["Location"].endswith(f"?ref_kind=upload&ref={sha256}")
    assert [one.name for one in uploads_of(here.project)] == ["shop.tar.gz"]
    refs = reverse("delivery:pipeline_refs", args=[here.pipeline.pk])
    text = client.get(refs, {"ref_kind": "upload", "ref": sha256}).content.decode()
    assert f'value="{sha256}" selected' in text
    form = client.get(answer["Location"]).content.decode()
    assert 'value="upload" checked' in form
    assert 'value="branch"' not in form


def test_another_archive_than_was_meant_is_refused(client: Client, here: Place) -> None:
    answer = send(client, here, archive(), sha256="0" * 64)
    assert answer.status_code == 422
    assert "another SHA-256" in answer.content.decode()
    assert uploads_of(here.project) == []
    assert send(client, here, archive(), sha256="x").status_code == 422


def test_nobody_sends_to_a_project_to_which_he_may_not_deliver(
    client: Client, here: Place, elsewhere: Place
) -> None:
    assert send(client, elsewhere, archive()).status_code == 404
    here.environment.delete()
    assert send(client, here, archive()).status_code == 422
    assert uploads_of(elsewhere.project) == uploads_of(here.project) == []


@pytest.mark.parametrize("kind", ["git", "svn"])
def test_a_project_with_a_source_is_delivered_from_an_archive_too(
    client: Client, here: Place, kind: str
) -> None:
    answerers.join()
    address = "https://git.example.org/shop"
    Project.objects.update(source_type=kind, source_address=address)
    form_at = reverse("delivery:pipeline_deploy", args=[here.pipeline.pk])
    form = client.get(form_at).content.decode()
    assert 'value="branch" checked' in form
    assert 'value="upload"' in form
    refs = reverse("delivery:pipeline_refs", args=[here.pipeline.pk])
    offered = client.get(refs, {"ref_kind": "upload"}).content.decode()
    assert reverse("delivery:pipeline_upload", args=[here.pipeline.pk]) in offered
    there = send(client, here, archive())["Location"]
    assert 'value="upload" checked' in client.get(there).content.decode()
    sent = {"environment": here.environment.pk, "ref_kind": "upload"}
    sha256 = uploads_of(here.project)[0].sha256
    plan = client.post(form_at, sent | {"ref": sha256})["Location"]
    answer(plan.rstrip("/").rpartition("/")[2])
    assert "Deploy to 1 host" in client.get(plan).content.decode()
    assert not Deploy.objects.exists()


def test_an_archive_that_nobody_sent_has_no_plan(client: Client, here: Place) -> None:
    answerers.join()
    Project.objects.update(source_type="git")
    form_at = reverse("delivery:pipeline_deploy", args=[here.pipeline.pk])
    sent = {"environment": here.environment.pk, "ref_kind": "upload", "ref": "0" * 64}
    plan = client.post(form_at, sent)["Location"]
    answer(plan.rstrip("/").rpartition("/")[2])
    text = client.get(plan).content.decode()
    assert f"There is no {'0' * 64} in the source." in text
    assert "Deploy to" not in text
