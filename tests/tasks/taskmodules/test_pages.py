"""The gallery, the editor and the API of task modules: who sees, who writes, and that a file's module is not written."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from tasks.models import Run, Schedule, TaskModule
from tests.factories import make_user
from tests.tasks.module_things import GREETING, make_module

pytestmark = pytest.mark.django_db
ADD = "/tasks/task-modules/add/"
WRITES = [
    f"tasks.{verb}_taskmodule" for verb in ("view", "add", "change", "delete", "use")
]


def test_the_gallery_shows_modules_by_category_in_the_readers_language(
    admin: User, client_of
) -> None:
    make_module()
    make_module("name: off\ntitle: Turned off\ncommand: x\n", enabled=False)
    make_module("name: evil\ntitle: <b>x</b>\ndangerous: true\ncommand: x\n")
    browser = client_of(admin)
    page = browser.get("/tasks/task-modules/gallery/").content.decode()
    assert "Greeting" in page
    assert "Turned off" not in page
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page
    assert "Asks for a confirmation" in page
    admin.language = "zh-hans"
    admin.save()
    page = browser.get(
        "/tasks/task-modules/gallery/", headers={"accept-language": "zh-hans"}
    )
    assert "问候" in page.content.decode()


def test_the_gallery_is_searched(admin: User, client_of) -> None:
    make_module()
    make_module("name: b\ntitle: Something else\ncommand: x\n")
    ask = {"headers": {"HX-Request": "true"}}
    page = client_of(admin).get("/tasks/task-modules/gallery/?q=greets", **ask)
    text = page.content.decode()
    assert "Greeting" in text
    assert "Something else" not in text
    assert "<html" not in text


def test_run_leads_to_the_launch_page_for_who_may_use_modules(
    operator: User, group: HostGroup, client_of
) -> None:
    module = make_module()
    address = reverse("tasks:taskmodule_run", args=[module.pk])
    looks = make_user(perms=["tasks.view_taskmodule"])
    assert client_of(looks).get(address).status_code == 403
    user = make_user(
        perms=["tasks.view_taskmodule", "tasks.use_taskmodule"], groups=[group]
    )
    answer = client_of(user).get(address)
    assert (
        answer["Location"]
        == f"/tasks/runs/add/?kind=task_module&task_module={module.pk}"
    )


def test_a_module_is_written_in_the_browser(admin: User, client_of) -> None:
    browser = client_of(admin)
    assert "say-hello" in browser.get(ADD).content.decode()
    answer = browser.post(
        ADD, {"text": GREETING.replace("\n", "\r\n"), "enabled": "on"}
    )
    assert answer.status_code == 302
    module = TaskModule.objects.get()
    assert (module.name, module.text, module.enabled) == ("greeting", GREETING, True)
    edit = reverse("tasks:taskmodule_edit", args=[module.pk])
    browser.post(edit, {"text": GREETING.replace("hello", "good day"), "enabled": "on"})
    module.refresh_from_db()
    assert "good day" in module.definition["command"]
    line = AuditEntry.objects.get(verb="taskmodule.update")
    assert [one["old"] for one in line.changes if one["field"] == "text"] == [GREETING]
    history = browser.get(reverse("tasks:taskmodule_history", args=[module.pk]))
    assert "good day" in history.content.decode()


def test_what_is_wrong_stands_beside_the_text_and_nothing_is_saved(
    admin: User, client_of
) -> None:
    browser = client_of(admin)
    answer = browser.post(ADD, {"text": "name: a\ntitle: t\nscripd: x\n"})
    assert answer.status_code == 422
    assert "line 3: There is no key scripd here." in answer.content.decode()
    make_module()
    answer = browser.post(ADD, {"text": GREETING})
    assert "There is a module greeting already" in answer.content.decode()
    assert TaskModule.objects.count() == 1


def test_while_one_writes_the_form_or_the_problems_are_drawn(
    admin: User, client_of
) -> None:
    browser, address = client_of(admin), "/tasks/task-modules/check/"
    page = browser.post(address, {"text": GREETING}).content.decode()
    assert 'name="preview-who"' in page
    page = browser.post(address, {"text": GREETING + "x: <script>\n"}).content.decode()
    assert "There is no key x here." in page
    assert "<script>" not in page
    assert not TaskModule.objects.exists()


def test_who_writes_modules_needs_the_permission_everywhere(
    group: HostGroup, client_of
) -> None:
    module = make_module()
    browser = client_of(make_user(perms=WRITES, groups=[group]))
    assert browser.post(
        ADD, {"text": GREETING.replace("greeting", "b")}
    ).status_code in (403, 422)
    edit = reverse("tasks:taskmodule_edit", args=[module.pk])
    assert browser.post(edit, {"text": GREETING + "# x\n"}).status_code == 403
    for verb in ("copy", "disable", "delete"):
        address = reverse(f"tasks:taskmodule_{verb}", args=[module.pk])
        assert browser.post(address).status_code == 403
    assert TaskModule.objects.get().text == GREETING
    assert TaskModule.objects.get().enabled
    assert not AuditEntry.objects.filter(verb__startswith="taskmodule.").exists()


def test_a_module_of_a_file_is_read_only_but_for_on_and_off(
    admin: User, client_of
) -> None:
    module = make_module(file="greeting.yml")
    browser = client_of(admin)
    edit = reverse("tasks:taskmodule_edit", args=[module.pk])
    browser.post(edit, {"text": "name: x\ntitle: t\ncommand: id\n", "enabled": "on"})
    browser.post(reverse("tasks:taskmodule_delete", args=[module.pk]))
    module.refresh_from_db()
    assert module.text == GREETING
    browser.post(reverse("tasks:taskmodule_disable", args=[module.pk]))
    module.refresh_from_db()
    assert not module.enabled
    browser.post(reverse("tasks:taskmodule_enable", args=[module.pk]))
    module.refresh_from_db()
    assert module.enabled
    verbs = AuditEntry.objects.filter(verb="taskmodule.update")
    assert verbs.count() == 2


def test_a_copy_is_ones_own(admin: User, client_of) -> None:
    module = make_module(file="greeting.yml")
    browser, address = (
        client_of(admin),
        reverse("tasks:taskmodule_copy", args=[module.pk]),
    )
    answer = browser.post(address)
    made = TaskModule.objects.get(name="greeting-copy")
    assert answer["Location"] == reverse("tasks:taskmodule_edit", args=[made.pk])
    assert (made.file, made.text) == (
        "",
        GREETING.replace("name: greeting", "name: greeting-copy"),
    )
    browser.post(address)
    assert TaskModule.objects.filter(name="greeting-copy-2").exists()


def test_the_page_of_a_module_shows_its_form_and_its_text(
    admin: User, client_of
) -> None:
    module = make_module()
    browser, address = client_of(admin), module.get_absolute_url()
    assert 'name="preview-who"' in browser.get(f"{address}?tab=form").content.decode()
    page = browser.get(f"{address}?tab=definition").content.decode()
    assert "[echo, hello, --, &quot;{who}&quot;]" in page
    module.definition = {}
    module.save()
    page = browser.get(f"{address}?tab=form").content.decode()
    assert "exactly one of" in page


def test_a_module_that_is_needed_is_not_deleted(admin: User, client_of) -> None:
    module = make_module()
    run = Run.objects.create(title="r", requested_by=admin, task_module=module)
    schedule = Schedule.objects.create(name="s", kind="task_module", task_module=module)
    browser, address = (
        client_of(admin),
        reverse("tasks:taskmodule_delete", args=[module.pk]),
    )
    browser.post(address)
    assert TaskModule.objects.exists()
    schedule.delete()
    browser.post(address)
    assert not TaskModule.objects.exists()
    run.refresh_from_db()
    assert run.task_module is None


def test_machines_read_modules_and_their_forms_and_write_them(
    admin: User, client_of
) -> None:
    browser = client_of(admin)
    made = browser.post(
        "/api/v1/task-modules/", json.dumps({"text": GREETING}), "application/json"
    )
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["name"], body["category"]) == ("greeting", "Examples")
    assert body["definition"]["fields"][0]["name"] == "who"
    form = browser.get(f"/api/v1/task-modules/{body['id']}/form/").json()
    assert form["title"] == "Greeting"
    assert form["fields"][0] == {
        "name": "who",
        "type": "text",
        "label": "Whom",
        "required": True,
        "default": "world",
    }
    empty = browser.post("/api/v1/task-modules/", "{}", "application/json")
    assert empty.status_code == 422
    wrong = browser.post(
        "/api/v1/task-modules/", json.dumps({"text": "name: x"}), "application/json"
    )
    assert wrong.status_code == 422
    assert "exactly one of" in wrong.json()["error"]["fields"]["text"]


def test_the_form_is_for_who_may_see_modules(client_of) -> None:
    module = make_module()
    address = f"/api/v1/task-modules/{module.pk}/form/"
    assert client_of(make_user()).get(address).status_code == 403
    looks = make_user(perms=["tasks.view_taskmodule"])
    assert client_of(looks).get(address).status_code == 200
