"""Nobody approves the own version; what is retired runs nowhere; each decision is in the trail."""

from __future__ import annotations

import pytest

from accounts.models import User
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from tasks.library import contents
from tasks.library.choosing import (
    content_of,
    ensure_all_runnable,
    ensure_runnable,
    ensure_usable,
    newest_runnable,
    roles_for,
)
from tasks.library.judging import (
    approve_version,
    may_judge,
    reinstate_version,
    retire_version,
)
from tasks.library.writing import add_version
from tasks.models import Script, Version
from tests.factories import make_group, make_user
from tests.tasks.library_things import (
    ROLE,
    make_file,
    make_playbook,
    make_role,
    make_script,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(author: User) -> Version:
    """Version 2 of a script, written by `author`."""
    script = make_script(needs_approval=True)
    content = contents.of_text("echo two\n")
    made = add_version(actor=author, item=script, content=content)
    assert made is not None
    return made


def test_a_version_waits_until_somebody_else_approves_it(
    waiting: Version, author: User, approver: User
) -> None:
    script = waiting.script
    assert waiting.state == "waiting"
    assert newest_runnable(script).number == 1
    with pytest.raises(Forbidden) as refused:
        approve_version(actor=author, version=waiting)
    assert refused.value.code == "own_version"
    assert may_judge(author, waiting) == ["retire"]
    assert newest_runnable(script).number == 1
    approve_version(actor=approver, version=waiting, reason="read it")
    assert newest_runnable(script).number == 2
    line = AuditEntry.objects.get(verb="script.approve")
    assert (line.actor, line.reason) == (approver, "read it")
    assert line.changes == [{"field": "state", "old": "waiting", "new": "approved"}]
    with pytest.raises(Conflict):
        approve_version(actor=approver, version=waiting)


def test_without_the_permission_nobody_decides(waiting: Version, writer: User) -> None:
    scoped = make_user(perms=["tasks.approve_script"], groups=[make_group("some")])
    for user in (writer, scoped):
        for act in (approve_version, retire_version, reinstate_version):
            with pytest.raises(Forbidden):
                act(actor=user, version=waiting)
        assert may_judge(user, waiting) == []
    waiting.refresh_from_db()
    assert waiting.state == "waiting"
    verbs = ("script.approve", "script.retire", "script.reinstate")
    assert not AuditEntry.objects.filter(verb__in=verbs).exists()


def test_a_retired_version_runs_nowhere(approver: User) -> None:
    script = make_script()
    version = newest_runnable(script)
    ensure_runnable(version)
    retire_version(actor=approver, version=version)
    with pytest.raises(DomainError, match="retired"):
        ensure_runnable(version)
    with pytest.raises(DomainError, match="retired"):
        ensure_all_runnable([version.pk])
    with pytest.raises(DomainError, match="retired"):
        newest_runnable(script)
    reinstate_version(actor=approver, version=version)
    ensure_runnable(version)
    assert newest_runnable(script) == version


def test_the_author_does_not_reinstate_where_approval_is_needed(
    waiting: Version, author: User, approver: User
) -> None:
    retire_version(actor=author, version=waiting)
    waiting.refresh_from_db()
    with pytest.raises(Forbidden):
        reinstate_version(actor=author, version=waiting)
    reinstate_version(actor=approver, version=waiting)
    assert newest_runnable(waiting.script) == waiting


def test_what_is_deleted_or_has_no_content_says_so() -> None:
    with pytest.raises(DomainError, match="no content yet"):
        newest_runnable(Script.objects.create(name="empty"))
    script = make_script()
    version = newest_runnable(script)
    Script.objects.filter(pk=script.pk).delete()
    for keys in ([version.pk], [999]):
        with pytest.raises(DomainError, match="deleted"):
            ensure_all_runnable(keys)


def test_contents_are_texts_files_and_paths() -> None:
    file = newest_runnable(make_file(data=b"\x00\xff"))
    assert content_of(newest_runnable(make_script())) == "echo one\n"
    assert content_of(newest_runnable(make_role())) == ROLE
    path = content_of(file)
    assert path.read_bytes() == b"\x00\xff"  # type: ignore[union-attr]
    path.unlink()  # type: ignore[union-attr]
    with pytest.raises(DomainError, match="missing"):
        content_of(file)


def test_who_may_use_some_may_use_all_and_others_none() -> None:
    item = make_playbook()
    scoped = make_user(perms=["tasks.use_playbook"], groups=[make_group("some")])
    ensure_usable(scoped, item)
    with pytest.raises(Forbidden):
        ensure_usable(make_user(perms=["tasks.view_playbook"]), item)


def test_the_roles_of_a_playbook_are_found_however_they_are_named(
    approver: User,
) -> None:
    inner = make_role("inner", {"tasks/main.yml": "- ping:\n"})
    make_role("outer", {"meta/main.yml": "dependencies:\n  - role: inner\n"})
    make_role("other", {"tasks/main.yml": "- include_role: {name: outer}\n"})
    text = """
- hosts: all
  roles: [unknown, "{{ made_up }}"]
  tasks:
    - block:
        - ansible.builtin.import_role:
            name: other
"""
    assert set(roles_for(text)) == {"other", "outer", "inner"}
    assert roles_for("- hosts: all\n") == {}
    retire_version(actor=approver, version=newest_runnable(inner))
    with pytest.raises(DomainError, match="inner"):
        roles_for(text)
