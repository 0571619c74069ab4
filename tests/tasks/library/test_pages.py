"""The pages of the library: content, comparison, decisions, downloads, progress."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminset.models import AuditEntry
from tasks import tasks
from tasks.library import contents
from tasks.models import GitSource, Run
from tests.factories import make_user
from tests.tasks.library_things import (
    add,
    make_file,
    make_playbook,
    make_role,
    make_script,
)

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\u202e\x1b[31m"


def _text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_hostile_content_is_shown_as_text_with_its_unseen_signs(
    client_of: Any, admin: User
) -> None:
    script = make_script(HOSTILE[:100], f"echo 1\n{HOSTILE}\n")
    add(script, contents.of_text(f"echo 2\n{HOSTILE}x\n"), note=HOSTILE)
    client = client_of(admin)
    base = script.get_absolute_url()
    for url in (
        f"{base}?tab=content",
        f"{base}?tab=versions",
        f"{base}diff/",
        f"{base}diff/?view=side",
        script.versions.first().get_absolute_url() + "?tab=content",
        reverse("tasks:script_list"),
        reverse("tasks:version_list"),
    ):
        page = _text(client.get(url))
        assert "<script>alert" not in page, url
    assert "[U+202E][U+001B]" in _text(client.get(f"{base}diff/"))


def test_two_versions_are_compared_and_others_are_not_found(
    client_of: Any, admin: User
) -> None:
    lines = [f"echo {n}" for n in range(100)]
    script = make_script("s", "\n".join(lines) + "\n")
    lines[50] = "echo other"
    add(script, contents.of_text("\n".join(lines) + "\n"))
    client, url = client_of(admin), reverse("tasks:script_diff", args=[script.pk])
    for view in ("", "side"):
        page = _text(client.get(url, {"from": "1", "to": "2", "view": view}))
        assert "echo other" in page
        assert "echo 50" in page
        assert "47 lines are the same" in page
        assert "echo 20<" not in page
    assert "No difference" in _text(client.get(url, {"from": "2", "to": "2"}))
    for bad in ("3", "x", "-1", "9" * 20, "٣"):
        assert client.get(url, {"from": bad}).status_code == 404


def test_roles_are_compared_file_by_file_and_bytes_only_told_apart(
    client_of: Any, admin: User
) -> None:
    role = make_role("r", {"tasks/main.yml": "- a:\n", "files/gone": "x\n"})
    add(role, contents.of_files({"tasks/main.yml": "- b:\n", "files/new": "y\n"}))
    page = _text(client_of(admin).get(reverse("tasks:role_diff", args=[role.pk])))
    for word in ("tasks/main.yml", "files/gone", "files/new", "new file", "deleted"):
        assert word in page
    file = make_file(data=b"\x00\x01")
    add(file, contents.of_bytes("1" * 64, 3))
    page = _text(client_of(admin).get(reverse("tasks:storedfile_diff", args=[file.pk])))
    assert "are no text" in page


def test_decisions_are_made_on_the_pages(
    client_of: Any, author: User, approver: User
) -> None:
    script = make_script(needs_approval=True)
    waits = add(script, contents.of_text("x"), state="waiting", author=author)
    url = reverse("tasks:version_approve", args=[waits.pk])
    assert client_of(author).post(url).status_code == 403
    versions = f"{script.get_absolute_url()}?tab=versions"
    assert url not in _text(client_of(author).get(versions))
    client = client_of(approver)
    assert url in _text(client.get(versions))
    assert url in _text(client.get(waits.get_absolute_url() + "?tab=content"))
    assert client.get(url).status_code == 405
    answer = client.post(url, {"reason": "read", "next": versions})
    assert (answer.status_code, answer["Location"]) == (302, versions)
    waits.refresh_from_db()
    assert waits.state == "approved"
    assert AuditEntry.objects.get(verb="script.approve").reason == "read"
    client.post(reverse("tasks:version_retire", args=[waits.pk]))
    client.post(reverse("tasks:version_reinstate", args=[waits.pk]))
    waits.refresh_from_db()
    assert (waits.state, waits.judged_by_name) == ("approved", "approver")


def test_who_may_not_see_an_item_does_not_see_its_versions(client_of: Any) -> None:
    version = make_script().versions.get()
    user = make_user(perms=["tasks.view_playbook", "tasks.view_version"])
    client = client_of(user)
    for name in ("version_detail", "version_download"):
        assert (
            client.get(reverse(f"tasks:{name}", args=[version.pk])).status_code == 404
        )
    assert client.get(f"/api/v1/versions/{version.pk}/").status_code == 404
    assert str(version.pk) not in str(client.get("/api/v1/versions/").json()["results"])


def test_downloads_are_attachments_that_no_browser_opens(
    client_of: Any, admin: User
) -> None:
    client = client_of(admin)
    for item, name, body in (
        (make_script('a"b/../c\n', "<b>"), "a_b_.._c-v1.sh", b"<b>"),
        (make_playbook("p.yml", "- hosts: all\n"), "p-v1.yml", b"- hosts: all\n"),
        (make_file("page.html", b"<b>"), "page.html", b"<b>"),
    ):
        url = reverse("tasks:version_download", args=[item.versions.get().pk])
        answer = client.get(url)
        assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Type"] == "application/octet-stream"
        assert b"".join(answer.streaming_content) == body
    url = reverse("tasks:version_download", args=[make_role("r").versions.get().pk])
    raw = b"".join(client.get(url).streaming_content)
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert "tasks/main.yml" in archive.namelist()


def test_a_repository_is_fetched_from_its_page(
    client_of: Any, admin: User, auditor: User, monkeypatch: Any
) -> None:
    source = GitSource.objects.create(name="g", url="https://git.example/x")
    url = reverse("tasks:gitsource_fetch", args=[source.pk])
    assert client_of(auditor).post(url).status_code == 403
    assert client_of(admin).post(url).status_code == 302
    source.refresh_from_db()
    assert (source.state, source.asked_by) == ("waiting", admin)
    progress = reverse("tasks:gitsource_progress", args=[source.pk])
    page = _text(client_of(admin).get(progress))
    assert 'hx-trigger="every 2s"' in page
    GitSource.objects.update(state="running", percent=45, message="Fetching")
    assert "45 %" in _text(client_of(admin).get(progress))
    GitSource.objects.update(state="ok", percent=None, fetched_at=timezone.now())
    assert "hx-trigger" not in _text(client_of(admin).get(progress))
    assert tasks.fetch_source.name == "tasks.fetch_source"


def test_what_uses_an_item_and_its_runs_stand_on_its_page(
    client_of: Any, admin: User
) -> None:
    file, script = make_file(), make_script()
    Run.objects.create(
        title="bring it", kind="files", distribution=[{"file": file.pk, "path": "/x"}]
    )
    Run.objects.create(title="run it", kind="script", script=script)
    role = make_role("web")
    make_playbook("site", "- hosts: all\n  roles: [web]\n")
    client = client_of(admin)
    runs = [
        _text(client.get(f"{i.get_absolute_url()}?tab=runs")) for i in (file, script)
    ]
    assert "bring it" in runs[0]
    assert "run it" in runs[1]
    assert "site" in _text(client.get(f"{role.get_absolute_url()}?tab=used-by"))
    answer = client.get(reverse("tasks:script_run", args=[script.pk]))
    assert answer["Location"].endswith(f"?kind=script&script={script.pk}")
