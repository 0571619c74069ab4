"""Items of the library, their versions and repositories as every resource: lists, pages, import, export, REST."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adminset.models import AuditEntry
from tasks.models import GitSource, Playbook, Role, Script, StoredFile, Version
from tests.crud import ResourceTests
from tests.tasks.library_things import (
    make_file,
    make_playbook,
    make_role,
    make_script,
)

TABS = ("content", "versions", "used-by", "runs")


class ItemTests(ResourceTests):
    """What all kinds of items have besides."""

    __test__ = False

    def test_every_tab_opens_with_and_without_a_version(self, client_of, admin) -> None:
        empty = self.model.objects.create(name="empty")  # type: ignore[attr-defined]
        for item in (self.make(), empty):
            for tab in TABS:
                url = f"{item.get_absolute_url()}?tab={tab}"
                assert client_of(admin).get(url).status_code == 200, tab

    def test_the_list_narrows_and_sorts_by_the_newest_version(
        self, client_of, admin
    ) -> None:
        one, client = self.make(), client_of(admin)
        url = self.resource.url("list")
        found = client.get(url, {"version_state": "approved", "sort": "version_number"})
        assert str(one) in found.content.decode()
        found = client.get(url, {"version_state": "retired"})
        assert self.resource.url("detail", one.pk) not in found.content.decode()

    def test_the_api_says_which_version_is_the_newest(self, client_of, admin) -> None:
        item = self.make()
        told = client_of(admin).get(self._api(item.pk)).json()
        assert (told["version_number"], told["version_state"]) == (1, "approved")


class TestScripts(ItemTests):
    __test__ = True
    model = Script

    def make(self, number: int = 0, *, outside: bool = False) -> Script:
        return make_script(f"script {number}")

    def valid(self) -> dict[str, Any]:
        return {"name": "typed", "language": "sh", "text": "echo hello"}

    def test_the_api_takes_a_text_and_the_versions_give_it_back(
        self, client_of, admin
    ) -> None:
        client = client_of(admin)
        made = client.post(self._api(), self.valid(), content_type="application/json")
        pk = made.json()["id"]
        client.patch(
            self._api(pk), {"text": "echo two"}, content_type="application/json"
        )
        rows = client.get("/api/v1/versions/", {"script": pk}).json()["results"]
        assert [(row["number"], row["text"]) for row in rows] == [
            (2, "echo two"),
            (1, "echo hello"),
        ]


class TestPlaybooks(ItemTests):
    __test__ = True
    model = Playbook

    def make(self, number: int = 0, *, outside: bool = False) -> Playbook:
        return make_playbook(f"playbook {number}")

    def valid(self) -> dict[str, Any]:
        return {"name": "typed", "description": "d", "content": "- hosts: all"}


class TestRoles(ItemTests):
    __test__ = True
    model = Role

    def make(self, number: int = 0, *, outside: bool = False) -> Role:
        return make_role(f"role_{number}")

    def valid(self) -> dict[str, Any]:
        return {"name": "typed", "description": "d"}

    def test_the_api_takes_files(self, client_of, admin) -> None:
        client, files = client_of(admin), {"tasks/main.yml": "- ping:\n"}
        sent = json.dumps({"name": "sent", "files": files})
        made = client.post(self._api(), sent, content_type="application/json")
        assert made.status_code == 201, made.json()
        assert Version.objects.get().files == files
        bad = json.dumps({"files": {"../x": "y"}})
        answer = client.patch(
            self._api(made.json()["id"]), bad, content_type="application/json"
        )
        assert "files" in answer.json()["error"]["fields"]


class TestFiles(ItemTests):
    __test__ = True
    model = StoredFile

    def make(self, number: int = 0, *, outside: bool = False) -> StoredFile:
        return make_file(f"file {number}")

    def valid(self) -> dict[str, Any]:
        return {"name": "typed", "description": "d"}

    def test_the_api_takes_bytes_as_base64(self, client_of, admin) -> None:
        client = client_of(admin)
        sent = {"name": "sent", "base64": "AP8="}
        made = client.post(self._api(), sent, content_type="application/json")
        assert made.status_code == 201, made.json()
        assert Version.objects.get().size == 2
        answer = client.post(
            self._api(),
            {"name": "x", "base64": "?"},
            content_type="application/json",
        )
        assert "base64" in answer.json()["error"]["fields"]


class TestVersions(ResourceTests):
    model = Version

    def make(self, number: int = 0, *, outside: bool = False) -> Version:
        return make_script(f"script {number}").versions.get()

    def valid(self) -> dict[str, Any]:
        return {}


class TestRepositories(ResourceTests):
    model = GitSource

    def make(self, number: int = 0, *, outside: bool = False) -> GitSource:
        return GitSource.objects.create(
            name=f"repository {number}", url="https://git.example/a.git"
        )

    def valid(self) -> dict[str, Any]:
        return {
            "name": "typed",
            "url": "https://git.example/b.git",
            "branch": "main",
        }


@pytest.mark.django_db
def test_another_address_forgets_the_key_of_the_server(client_of, admin) -> None:
    source = GitSource.objects.create(
        name="n", url="ssh://git@one.example/x", host_key="one.example ssh-rsa AAAA"
    )
    data = {
        "name": "n",
        "url": "ssh://git@two.example/x",
        "branch": "main",
        "host_key": source.host_key,
    }
    client_of(admin).post(f"{source.get_absolute_url()}edit/", data)
    source.refresh_from_db()
    assert source.host_key == ""
    assert AuditEntry.objects.filter(verb="gitsource.update").exists()


@pytest.mark.django_db
def test_the_lists_of_the_library_stand_beside_each_other(client_of, admin) -> None:
    page = client_of(admin).get("/tasks/scripts/").content.decode()
    tabs = page[page.index("page-tabs") :]
    for word in ("Scripts", "Playbooks", "Roles", "Files", "Versions", "Git repo"):
        assert word in tabs
