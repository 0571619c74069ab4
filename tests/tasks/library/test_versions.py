"""A save of another content makes a version that never changes; the same content makes none."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Conflict, Forbidden
from adminset.models import AuditEntry
from tasks.library import contents
from tasks.library.forms import PlaybookForm, ScriptForm
from tasks.library.items import delete_item, save_item
from tasks.library.writing import add_version
from tasks.models import Playbook, Run, Schedule, Script, Version
from tests.tasks.library_things import (
    PLAYBOOK,
    make_file,
    make_script,
)

pytestmark = pytest.mark.django_db


def _save(user: User, form_class: Any, instance: Any = None, **values: Any) -> Any:
    start = {"name": "deploy", "language": "sh"}
    form = form_class(start | values, user=user, instance=instance)
    assert form.is_valid(), form.errors
    return save_item(actor=user, form=form)


def test_a_new_script_gets_version_one_with_author_note_and_hash(author: User) -> None:
    script = _save(author, ScriptForm, text="echo 1\r\n", note="first")
    version = script.versions.get()
    assert (version.number, version.author, version.note) == (1, author, "first")
    assert (version.text, version.state) == ("echo 1\n", "approved")
    assert version.sha256 == contents.of_text("echo 1\n").sha256
    line = AuditEntry.objects.get(verb="script.version")
    assert line.actor == author
    assert line.target_id == str(version.pk)
    assert line.reason == "first"


def test_the_same_content_makes_no_version_and_another_one_makes_the_next(
    author: User,
) -> None:
    script = _save(author, ScriptForm, text="echo 1\n")
    _save(author, ScriptForm, script, text="echo 1\n", description="said otherwise")
    assert script.versions.count() == 1
    _save(author, ScriptForm, script, text="echo 2\n")
    texts = script.versions.order_by("number").values_list("number", "text")
    assert list(texts) == [(1, "echo 1\n"), (2, "echo 2\n")]


def test_a_playbook_keeps_its_newest_text_in_itself(author: User) -> None:
    playbook = _save(author, PlaybookForm, content=PLAYBOOK)
    _save(author, PlaybookForm, playbook, content=PLAYBOOK + "# more\n")
    playbook.refresh_from_db()
    assert playbook.content == PLAYBOOK + "# more\n"
    assert playbook.versions.count() == 2


def test_what_somebody_saved_meanwhile_is_not_written_over(author: User) -> None:
    script = make_script()
    add_version(actor=author, item=script, content=contents.of_text("echo 2\n"))
    with pytest.raises(Conflict):
        _save(author, ScriptForm, script, text="echo mine\n", based_on="1")
    assert script.versions.count() == 2


def test_what_an_open_run_or_a_schedule_needs_is_not_deleted(admin: User) -> None:
    script, file = make_script(), make_file()
    run = Run.objects.create(title="r", kind="script", version=script.versions.get())
    Schedule.objects.create(
        name="s", kind="files", distribution=[{"file": file.pk, "path": "/x"}]
    )
    for item in (script, file):
        with pytest.raises(Conflict):
            delete_item(actor=admin, instance=item)
    assert Version.objects.count() == 2
    Run.objects.filter(pk=run.pk).update(status="ok")
    delete_item(actor=admin, instance=script)
    assert not Script.objects.exists()
    assert Run.objects.get().version is None


def test_only_who_may_approve_takes_the_need_for_approval_off(
    writer: User, author: User
) -> None:
    script = make_script("deploy", needs_approval=True)
    with pytest.raises(Forbidden):
        _save(writer, ScriptForm, script, text="echo one\n")
    script.refresh_from_db()
    assert script.needs_approval is True
    _save(author, ScriptForm, script, text="echo one\n")
    script.refresh_from_db()
    assert script.needs_approval is False


@pytest.mark.parametrize(
    ("language", "text", "says"),
    [
        ("python", "def f(:\n", "line 1"),
        ("python", "x = '\\x00'\nif:\n", "line 2"),
        ("sh", "if true\nthen echo\n", "sh cannot read"),
        ("sh", "#!/bin/bash\nfor x in; do (\n", "bash cannot read"),
        ("sh", "   \n", "Enter"),
        ("sh", "x" * 300_000, "KiB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_line(
    author: User, language: str, text: str, says: str
) -> None:
    data = {"name": "n", "language": language, "text": text}
    form = ScriptForm(data, user=author)
    assert not form.is_valid()
    assert says in str(form.errors["text"])
    assert not Playbook.objects.exists()


def test_who_knows_better_saves_it_all_the_same(author: User) -> None:
    text = "print 'of another Python'\n"
    script = _save(author, ScriptForm, language="python", text=text, unchecked="on")
    assert script.versions.get().text == text


def test_a_check_runs_nothing(author: User, tmp_path: Any) -> None:
    mark = tmp_path / "mark"
    for language, text in (
        ("sh", f"touch {mark}\n$(touch {mark})\n`touch {mark}`\n: > {mark}\n"),
        ("python", f"open({str(mark)!r}, 'w')\n"),
    ):
        form = ScriptForm(
            {"name": language, "language": language, "text": text}, user=author
        )
        assert form.is_valid(), form.errors
    assert not mark.exists()
