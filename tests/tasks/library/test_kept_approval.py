"""Who may not approve goes round no approval: neither by another item of the same name, nor by another language."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Forbidden
from tasks.library.forms import RoleForm, ScriptForm
from tasks.library.items import delete_item, save_item
from tasks.models import Role, Script
from tests.factories import make_user
from tests.tasks.library_things import make_role, make_script

pytestmark = pytest.mark.django_db


def _save(user: User, form_class: Any, instance: Any, **values: Any) -> None:
    start = {"name": instance.name, "needs_approval": "on"}
    form = form_class(start | values, user=user, instance=instance)
    assert form.is_valid(), form.errors
    save_item(actor=user, form=form)


@pytest.fixture
def role(db: None) -> Role:
    """A role whose versions need approval."""
    return make_role("nginx", needs_approval=True)


def test_a_role_that_needs_approval_keeps_its_name(
    role: Role, writer: User, author: User
) -> None:
    with pytest.raises(Forbidden, match="name or language"):
        _save(writer, RoleForm, role, name="nginx-old")
    assert Role.objects.get().name == "nginx"
    role.refresh_from_db()
    _save(writer, RoleForm, role, description="serves pages")
    assert Role.objects.get().description == "serves pages"
    _save(author, RoleForm, role, name="nginx-old")
    assert Role.objects.get().name == "nginx-old"


def test_a_role_that_needs_approval_is_deleted_by_who_may_approve_only(
    role: Role, approver: User
) -> None:
    deleter = make_user(perms=["tasks.delete_role", "tasks.view_role"])
    with pytest.raises(Forbidden, match="may not delete"):
        delete_item(actor=deleter, instance=role)
    assert Role.objects.exists()
    delete_item(actor=approver, instance=role)
    assert not Role.objects.exists()


def test_the_language_of_a_script_is_approved_with_its_text(
    writer: User, author: User
) -> None:
    script = make_script("deploy", "print(1)\n", needs_approval=True)
    given = {"text": "print(1)\n", "language": "python"}
    with pytest.raises(Forbidden, match="name or language"):
        _save(writer, ScriptForm, script, **given)
    assert Script.objects.get().language == "sh"
    script.refresh_from_db()
    _save(author, ScriptForm, script, **given)
    assert Script.objects.get().language == "python"


def test_what_needs_no_approval_is_renamed_and_deleted_as_before(writer: User) -> None:
    role = make_role("nginx")
    _save(writer, RoleForm, role, name="web", needs_approval="")
    assert Role.objects.get().name == "web"
    delete_item(actor=writer, instance=role)
    assert not Role.objects.exists()
