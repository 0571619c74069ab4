"""The pages that take content: the tree of a role, uploads, and what comes from git."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import User
from tasks.models import GitSource, Role, StoredFile
from tests.tasks.library.test_archives import GOOD, _tar
from tests.tasks.library_things import (
    make_file,
    make_role,
    make_script,
)

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m"


def _text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_a_file_of_a_role_is_added_changed_renamed_and_deleted(
    client_of: Any, author: User
) -> None:
    role, client = make_role("r", {"tasks/main.yml": "- a:\n"}), client_of(author)
    url = reverse("tasks:role_file", args=[role.pk])

    def put(query: str, number: int, **values: str) -> Any:
        data = {"based_on": str(number), "text": "- b:\r\n"} | values
        return client.post(url + query, data)

    assert put("", 1, path="handlers/main.yml").status_code == 302
    assert put("?file=tasks/main.yml", 2, path="tasks/main.yml").status_code == 302
    assert put("?file=tasks/main.yml", 3, path="tasks/x.yml").status_code == 302
    newest = role.versions.order_by("-number").first()
    assert newest is not None
    assert newest.number == 4
    assert newest.files == {"handlers/main.yml": "- b:\n", "tasks/x.yml": "- b:\n"}
    for query, number, path, text in (
        ("", 4, "../x", "a"),
        ("", 4, "tasks/x.yml", "- c:\n"),
        ("", 3, "tasks/y.yml", "- c:\n"),
        ("", 4, "tasks/y.yml", "- : [\n"),
        ("", 4, "tasks/x.yml/y", "a"),
    ):
        answer = put(query, number, path=path, text=text)
        assert answer.status_code == 422, path
    drop = reverse("tasks:role_drop", args=[role.pk]) + "?file=tasks/x.yml"
    assert "Delete the file" in _text(client.get(drop))
    assert client.post(drop, {"based_on": "3"}).status_code == 422
    assert client.post(drop, {"based_on": "4"}).status_code == 302
    last = reverse("tasks:role_drop", args=[role.pk]) + "?file=handlers/main.yml"
    assert client.post(last, {"based_on": "5"}).status_code == 422
    assert role.versions.count() == 5
    assert client.get(url + "?file=nowhere").status_code == 404


def test_who_only_sees_changes_no_role(client_of: Any, approver: User) -> None:
    role, client = make_role(), client_of(approver)
    for name in ("role_file", "role_drop", "role_upload"):
        url = reverse(f"tasks:{name}", args=[role.pk])
        assert client.post(url, {"path": "x", "text": "y"}).status_code == 403
    assert role.versions.count() == 1


def test_roles_and_files_are_made_from_uploads(client_of: Any, author: User) -> None:
    client = client_of(author)
    archive = SimpleUploadedFile("role.tar.gz", _tar(GOOD))
    answer = client.post(
        reverse("tasks:role_add"), {"name": "sent", "upload": archive, "note": "n"}
    )
    assert answer.status_code == 302, answer.context and answer.context["form"].errors
    role = Role.objects.get()
    assert set(role.versions.get().files) == set(GOOD)
    bad = SimpleUploadedFile("role.tar.gz", b"no archive")
    answer = client.post(reverse("tasks:role_add"), {"name": "bad", "upload": bad})
    assert answer.status_code == 422
    assert Role.objects.count() == 1
    file = SimpleUploadedFile("motd", b"one")
    client.post(reverse("tasks:storedfile_add"), {"name": "motd", "upload": file})
    stored = StoredFile.objects.get()
    url = reverse("tasks:storedfile_upload", args=[stored.pk])
    for data in (b"two", b"two"):
        client.post(url, {"upload": SimpleUploadedFile("motd", data), "note": "again"})
    assert stored.versions.count() == 2
    assert "two" in _text(client.get(f"{stored.get_absolute_url()}?tab=content"))


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing(
    client_of: Any, author: User, settings: Any
) -> None:
    settings.LIBRARY_FILE_BYTES = 10
    stored = make_file()
    kept = sorted(settings.LIBRARY_DIR.rglob("*"))
    url = reverse("tasks:storedfile_upload", args=[stored.pk])
    upload = SimpleUploadedFile("big", b"x" * 11)
    assert client_of(author).post(url, {"upload": upload}).status_code == 422
    assert stored.versions.count() == 1
    assert sorted(settings.LIBRARY_DIR.rglob("*")) == kept


def test_content_from_git_is_not_written_here(client_of: Any, author: User) -> None:
    source = GitSource.objects.create(name="g", url="https://git.example/x")
    role = make_role(git_source=source)
    script = make_script("s", git_source=source, git_path="a.sh")
    client = client_of(author)
    url = reverse("tasks:role_file", args=[role.pk])
    data = {"path": "tasks/b.yml", "text": "- b:\n", "based_on": "1"}
    assert client.post(url, data).status_code == 422
    edit = {"name": "s", "language": "sh", "text": "echo mine", "git_path": "a.sh"}
    client.post(f"{script.get_absolute_url()}edit/", edit | {"git_source": source.pk})
    assert (role.versions.count(), script.versions.count()) == (1, 1)
