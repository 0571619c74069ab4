"""Lines of the menu that lead to pages of another section: they are there, and one line is marked, on each page of the object."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from cmdb.models import Contact
from tests.app_factories import make_line
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
PAGES = ["cmdb:productline_list", "cmdb:contact_list"]


def _lines(client: Client, address: str) -> list[tuple[str, dict[str, Any]]]:
    """Give (title of the section, line) of the menu on a page."""
    nav = client.get(address).context["nav"]
    return [(str(each["title"]), line) for each in nav for line in each["entries"]]


@pytest.mark.parametrize(
    ("name", "section"), [(PAGES[0], "Assets"), (PAGES[1], "Applications")]
)
def test_product_lines_and_contacts_stand_among_the_applications(
    client_of: Signed, admin: User, name: str, section: str
) -> None:
    row = make_line() if "productline" in name else Contact.objects.create(name="Ann")
    listed = reverse(name)
    for address in (listed, row.get_absolute_url()):
        lines = _lines(client_of(admin), address)
        assert ("Applications", listed) in [(at, line["url"]) for at, line in lines]
        marked = [(at, line["url"]) for at, line in lines if line["active"]]
        assert marked == [(section, listed)], address


def test_who_may_not_see_them_has_no_such_lines(client_of: Signed) -> None:
    client = client_of(make_user(perms=["appconf.view_project"]))
    urls = {line["url"] for _at, line in _lines(client, "/")}
    assert reverse("appconf:project_list") in urls
    assert not {reverse(name) for name in PAGES} & urls
