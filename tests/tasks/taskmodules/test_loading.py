"""Files of task modules become rows: new, changed, gone, back, broken; never does a file break the portal."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import User
from adminset.audit import SystemActor
from adminset.models import AuditEntry
from tasks.models import TaskModule
from tasks.taskmodules import keeping, loading
from tests.tasks.module_things import GREETING, make_module

pytestmark = pytest.mark.django_db
ACTOR = SystemActor("set-up")


@pytest.fixture
def folder(tmp_path: Path, settings, monkeypatch) -> Path:
    """A folder of modules, instead of the shipped ones."""
    monkeypatch.setattr(loading, "SHIPPED", tmp_path)
    loading._read.cache_clear()
    return tmp_path


def write(path: Path, text: str = GREETING) -> None:
    """Write a file so that a change is seen whatever the clock says."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))


def test_a_file_becomes_a_module_once(folder: Path) -> None:
    write(folder / "greeting.yml")
    report = loading.load_files(actor=ACTOR)
    assert report.created == ["greeting"]
    module = TaskModule.objects.get()
    assert (module.file, module.title, module.category) == (
        "greeting.yml",
        "Greeting",
        "Examples",
    )
    assert module.text == GREETING
    entry = AuditEntry.objects.get(verb="taskmodule.create")
    assert entry.actor_name == "set-up"
    again = loading.load_files(actor=ACTOR)
    assert (again.created, again.updated, again.disabled) == ([], [], [])
    assert AuditEntry.objects.filter(verb__startswith="taskmodule.").count() == 1


def test_a_changed_file_changes_its_module_and_keeps_what_it_was(folder: Path) -> None:
    write(folder / "greeting.yml")
    loading.load_files(actor=ACTOR)
    write(folder / "greeting.yml", GREETING.replace("name: greeting", "name: welcome"))
    assert loading.load_files(actor=ACTOR).updated == ["welcome"]
    assert TaskModule.objects.get().name == "welcome"
    changes = AuditEntry.objects.get(verb="taskmodule.update").changes
    assert {"field": "name", "old": "greeting", "new": "welcome"} in changes
    assert any(one["field"] == "text" and one["old"] == GREETING for one in changes)


def test_a_module_whose_file_is_gone_is_off_until_it_is_back(folder: Path) -> None:
    write(folder / "greeting.yml")
    loading.load_files(actor=ACTOR)
    (folder / "greeting.yml").unlink()
    assert loading.load_files(actor=ACTOR).disabled == ["greeting"]
    assert not TaskModule.objects.get().enabled
    assert loading.load_files(actor=ACTOR).disabled == []
    write(folder / "greeting.yml")
    loading.load_files(actor=ACTOR)
    assert TaskModule.objects.get().enabled


def test_what_a_person_turned_off_stays_off(folder: Path) -> None:
    write(folder / "greeting.yml")
    loading.load_files(actor=ACTOR)
    TaskModule.objects.update(enabled=False)
    write(folder / "greeting.yml", GREETING + "# changed\n")
    loading.load_files(actor=ACTOR)
    assert TaskModule.objects.get().text.endswith("# changed\n")
    assert not TaskModule.objects.get().enabled
    (folder / "greeting.yml").unlink()
    loading.load_files(actor=ACTOR)
    write(folder / "greeting.yml")
    loading.load_files(actor=ACTOR)
    assert not TaskModule.objects.get().enabled


def test_a_broken_file_leaves_its_module_as_it_was_and_is_told(
    folder: Path, admin: User, client_of
) -> None:
    write(folder / "greeting.yml")
    loading.load_files(actor=ACTOR)
    write(folder / "greeting.yml", "name: greeting\ntitle: t\nscripd: x\n")
    (folder / "bytes.yml").write_bytes(b"name: \xff")
    report = loading.load_files(actor=ACTOR)
    assert TaskModule.objects.get().text == GREETING
    assert TaskModule.objects.get().enabled
    told = {one.file: " ".join(one.sentences) for one in report.problems}
    assert "line 3: There is no key scripd here." in told["greeting.yml"]
    assert "not UTF-8" in told["bytes.yml"]
    found = {str(one.msg) for one in keeping.check_files()}
    assert any("greeting.yml cannot be used" in text for text in found)
    page = client_of(admin).get("/tasks/task-modules/gallery/").content.decode()
    assert "There is no key scripd here." in page


def test_folders_and_files_that_cannot_be_read_are_problems_only(
    folder: Path, settings
) -> None:
    settings.TASK_MODULE_DIRS = [str(folder / "nowhere")]
    write(folder / "long.yml", "name: a\n#" + "x" * 70_000)
    (folder / "folder.yml").mkdir()
    (folder / "loop.yml").symlink_to(folder / "loop.yml")
    (folder / "notes.txt").write_text("no module")
    report = loading.load_files(actor=ACTOR)
    assert {Path(one.file).name for one in report.problems} == {
        "nowhere",
        "long.yml",
        "folder.yml",
        "loop.yml",
    }


def test_two_files_of_one_name_and_a_name_made_in_the_browser_are_problems(
    folder: Path,
) -> None:
    make_module()
    other = GREETING.replace("name: greeting", "name: other")
    write(folder / "a.yml")
    write(folder / "b.yml", other)
    write(folder / "c.yml", other)
    report = loading.load_files(actor=ACTOR)
    assert report.created == ["other"]
    assert {one.file for one in report.problems} == {"a.yml", "c.yml"}
    assert TaskModule.objects.get(name="greeting").file == ""
    assert {one.file for one in loading.problems_now()} == {"a.yml", "c.yml"}


def test_a_folder_of_ones_own_is_read_too(folder: Path, settings, tmp_path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    settings.TASK_MODULE_DIRS = [str(own)]
    write(own / "greeting.yml")
    loading.load_files(actor=ACTOR)
    assert TaskModule.objects.get().file == str(own / "greeting.yml")


def test_every_start_of_the_portal_reads_the_shipped_ones() -> None:
    loading._read.cache_clear()
    call_command("prepare_portal", stdout=io.StringIO())
    names = set(TaskModule.objects.values_list("name", flat=True))
    assert {"log-tail", "last-logins", "os-release", "kernel-modules"} <= names
    assert {"file-sync", "config-view", "service-restart"} <= names
    assert loading.read_files()[1] == []


def test_the_files_can_be_read_again_by_who_may_change_modules_everywhere(
    folder: Path, admin: User, operator: User, client_of
) -> None:
    write(folder / "greeting.yml")
    address = "/tasks/task-modules/reload/"
    assert client_of(operator).post(address).status_code == 403
    assert not TaskModule.objects.exists()
    browser: Client = client_of(admin)
    assert browser.get(address).status_code == 405
    assert browser.post(address).status_code == 302
    assert TaskModule.objects.get().file == "greeting.yml"
    assert AuditEntry.objects.get(verb="taskmodule.create").actor == admin
