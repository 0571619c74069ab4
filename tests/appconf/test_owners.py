"""The owner of an application: contacts are suggested, another name is taken with a warning, nothing is told to who may see no contacts."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import User
from appconf.models import Project
from cmdb.models import Contact
from tests.app_factories import grant_on, make_project
from tests.factories import make_user

pytestmark = pytest.mark.django_db
UNKNOWN = "No contact has this name"


def _form(browser: Any, project: Project) -> str:
    text: str = browser.get(f"{project.get_absolute_url()}edit/").content.decode()
    return text


def _is_warned(text: str) -> bool:
    note = text.partition("data-unknown-name")[2].partition(">")[0]
    return "hidden" not in note


def test_the_form_suggests_contacts_and_warns_of_a_name_that_is_none(
    client_of: Any, admin: User
) -> None:
    Contact.objects.create(name="Ann")
    project = make_project(owner="Ann")
    browser = client_of(admin)
    text = _form(browser, project)
    assert f'data-names="{reverse("choices", args=["contacts"])}"' in text
    assert 'list="owner-names"' in text
    assert not _is_warned(text)
    for owner, warned in (("Bob", True), ("", False)):
        Project.objects.update(owner=owner)
        assert _is_warned(_form(browser, project)) is warned, owner


def test_another_name_is_taken_and_the_page_says_that_it_is_no_contact(
    client_of: Any, admin: User
) -> None:
    browser = client_of(admin)
    project = make_project("shop")
    sent: dict[str, Any] = {
        "name": "shop",
        "code": project.code,
        "owner": "Bob",
        "source_type": "git",
    }
    sent |= {
        "product_line": project.product_line_id,
        "criticality": project.criticality,
    }
    answer = browser.post(f"{project.get_absolute_url()}edit/", sent, follow=True)
    project.refresh_from_db()
    assert project.owner == "Bob", answer.context["form"].errors
    assert "no contact of this name" in answer.content.decode()
    Contact.objects.create(name="Bob")
    page = browser.get(project.get_absolute_url()).content.decode()
    assert "no contact of this name" not in page


def test_who_may_see_no_contacts_learns_nothing_of_them(client_of: Any) -> None:
    Contact.objects.create(name="Ann")
    project = make_project(owner="Ann")
    user = make_user()
    perms = ["view_project", "change_project"]
    grant_on(user, [f"appconf.{name}" for name in perms], project)
    browser = client_of(user)
    text = _form(browser, project)
    assert 'value="Ann"' in text
    assert "data-names" not in text
    assert UNKNOWN not in text
    page = browser.get(project.get_absolute_url()).content.decode()
    assert "no contact of this name" not in page
