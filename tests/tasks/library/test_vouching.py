"""What others changed runs in nobody's name by itself: schedules start only what their owners saved or changed themselves."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import ApiToken, User
from accounts.services import tokens
from adminset.models import AuditEntry
from tasks.library import contents
from tasks.library.choosing import newest_runnable
from tasks.library.forms import ScriptForm
from tasks.library.items import save_item
from tasks.library.judging import approve_version, retire_version
from tasks.library.writing import add_version
from tasks.models import Run, Schedule, Version
from tasks.services.schedules import switch_schedule
from tasks.services.vouching import ChangedError, ensure_vouched, vouch
from tasks.taskmodules.editing import TaskModuleForm
from tasks.taskmodules.services import save_module
from tests.tasks.launch_things import make_module
from tests.tasks.library_things import make_file, make_playbook, make_role, make_script
from tests.tasks.schedule_things import at, became, make_schedule, ticked

pytestmark = pytest.mark.django_db
NINE, TEN = at("2026-11-20 09:00:03"), at("2026-11-20 10:00:03")
WITH_ROLE = "- hosts: all\n  roles: [a_role]\n"
OTHER_ROLE = contents.of_files({"tasks/main.yml": ""})


def vouched(owner: User, **fields: Any) -> Schedule:
    """Make a schedule as if its owner had saved it."""
    schedule = make_schedule(owner, **fields)
    vouch(schedule)
    return schedule


def is_vouched(schedule: Schedule) -> bool:
    try:
        ensure_vouched(schedule)
    except ChangedError:
        return False
    return True


def _parts(name: str) -> tuple[dict[str, Any], Any, contents.Content]:
    """Give the fields of a schedule, what of it is changed, and its other content."""
    if name == "script":
        item: Any = make_script()
        return {"kind": "script", "script": item}, item, contents.of_text("echo 2\n")
    if name == "playbook":
        item = make_playbook()
        return {"kind": "playbook", "playbook": item}, item, contents.of_text("- x\n")
    if name == "files":
        item = make_file()
        brought = [{"file": item.pk, "path": "/etc/motd"}]
        other = contents.of_bytes("1" * 64, 1)
        return {"kind": "files", "distribution": brought}, item, other
    item = make_role()
    if name == "role":
        return {"kind": "role", "role": item}, item, OTHER_ROLE
    if name == "role in a playbook":
        playbook = make_playbook("with role", WITH_ROLE)
        return {"kind": "playbook", "playbook": playbook}, item, OTHER_ROLE
    module = make_module()
    action = {"library": "site"} if name == "playbook of a module" else WITH_ROLE
    del module.definition["command"]
    module.definition["playbook"] = action
    module.save()
    fields: dict[str, Any] = {"kind": "task_module", "task_module": module}
    if name == "role of a module":
        return fields, item, OTHER_ROLE
    return fields, make_playbook("site"), contents.of_text("- x\n")


PARTS = (
    "script",
    "playbook",
    "files",
    "role",
    "role in a playbook",
    "playbook of a module",
    "role of a module",
)


@pytest.mark.parametrize("part", PARTS)
def test_what_somebody_else_changed_is_not_vouched_for(
    admin: User, author: User, part: str
) -> None:
    fields, item, content = _parts(part)
    others, own = vouched(admin, **fields), vouched(author, **fields)
    assert is_vouched(others)
    add_version(actor=author, item=item, content=content)
    assert (is_vouched(others), is_vouched(own)) == (False, True)


def test_at_its_next_time_it_turns_itself_off_and_says_what_changed(
    admin: User, author: User
) -> None:
    script = make_script("deploy")
    schedule = vouched(admin, kind="script", script=script)
    assert len(ticked(NINE)) == 1
    Run.objects.update(status="ok")
    add_version(actor=author, item=script, content=contents.of_text("echo 2\n"))
    assert ticked(TEN) == []
    schedule.refresh_from_db()
    assert (schedule.enabled, Run.objects.count()) == (False, 1)
    assert "This changed since it was saved or turned on: script deploy." in (
        schedule.notice
    )
    assert became(schedule)[-1] == ("11-20 10:00", "skipped")
    line = AuditEntry.objects.filter(verb="schedule.update").latest("pk")
    assert (line.actor_name, line.reason) == ("scheduler", schedule.notice)
    switch_schedule(actor=admin, schedule=schedule, enabled=True)
    assert is_vouched(schedule)


def test_an_own_change_does_not_vouch_for_what_somebody_else_changed_before(
    admin: User, author: User
) -> None:
    script = make_script()
    schedule = vouched(author, kind="script", script=script)
    add_version(actor=admin, item=script, content=contents.of_text("echo 2\n"))
    add_version(actor=author, item=script, content=contents.of_text("echo 3\n"))
    assert not is_vouched(schedule)


def test_what_is_changed_back_is_vouched_for_again(admin: User, author: User) -> None:
    script = make_script()
    schedule = vouched(admin, kind="script", script=script)
    for text in ("echo 2\n", "echo one\n"):
        add_version(actor=author, item=script, content=contents.of_text(text))
    assert is_vouched(schedule)


def test_a_role_of_the_name_that_was_free_counts_as_a_change(
    admin: User, author: User
) -> None:
    playbook = make_playbook("with role", WITH_ROLE)
    schedule = vouched(admin, kind="playbook", playbook=playbook)
    make_role()
    assert not is_vouched(schedule)


def test_another_language_of_a_script_counts_as_a_change(
    admin: User, author: User
) -> None:
    script = make_script("deploy")
    schedule = vouched(admin, kind="script", script=script)
    values = {"name": "deploy", "language": "python", "text": "print(1)\n"}
    form = ScriptForm(values, user=author, instance=script)
    assert form.is_valid(), form.errors
    save_item(actor=author, form=form)
    assert not is_vouched(schedule)


def test_a_version_that_waits_changes_nothing_until_it_is_approved(
    admin: User, author: User, approver: User
) -> None:
    script = make_script(needs_approval=True)
    schedule = vouched(admin, kind="script", script=script)
    content = contents.of_text("echo 2\n")
    version = add_version(actor=author, item=script, content=content)
    assert isinstance(version, Version)
    assert is_vouched(schedule)
    approve_version(actor=approver, version=version)
    assert not is_vouched(schedule)


def test_retiring_what_a_schedule_runs_counts_as_a_change(
    admin: User, author: User, approver: User
) -> None:
    script = make_script()
    add_version(actor=author, item=script, content=contents.of_text("echo 2\n"))
    schedule = vouched(admin, kind="script", script=script)
    retire_version(actor=approver, version=newest_runnable(script))
    assert (is_vouched(schedule), newest_runnable(script).number) == (False, 1)


def test_another_text_of_a_module_counts_where_it_belongs_to_no_file(
    admin: User,
) -> None:
    module, writer = make_module(), User.objects.create_superuser("writer", "x")
    fields = {"kind": "task_module", "task_module": module, "answers": {"word": "a"}}
    others, own = vouched(admin, **fields), vouched(writer, **fields)
    text = f"name: {module.name}\ntitle: M\ncommand: rm -r /srv\n"
    form = TaskModuleForm({"text": text, "enabled": "on"}, user=writer, instance=module)
    assert form.is_valid(), form.errors
    save_module(actor=writer, form=form)
    assert (is_vouched(others), is_vouched(own)) == (False, True)
    module.file = "shipped.yml"
    module.save()
    vouch(others)
    module.definition = {**module.definition, "command": "true"}
    module.save()
    assert is_vouched(others)


def test_what_a_token_with_limits_wrote_runs_in_nobodys_name(author: User) -> None:
    script = make_script()
    schedule = vouched(author, kind="script", script=script)
    wanted = ["tasks.change_script"]
    tokens.create_token(
        actor=author, user=author, name="t", can_write=True, permissions=wanted
    )
    author.token = ApiToken.objects.get()
    add_version(actor=author, item=script, content=contents.of_text("echo 2\n"))
    assert not is_vouched(schedule)


def test_a_schedule_from_before_is_vouched_for_at_its_first_start(
    admin: User, author: User
) -> None:
    script = make_script()
    schedule = make_schedule(admin, kind="script", script=script)
    assert len(ticked(NINE)) == 1
    schedule.refresh_from_db()
    assert set(schedule.vouched) == {f"script:{script.pk}"}
    add_version(actor=author, item=script, content=contents.of_text("echo 2\n"))
    assert not is_vouched(schedule)
