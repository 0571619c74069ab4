"""Software, installations, licences: what agents find is counted and not copied, keys never come out, over-use is said."""

from datetime import date
from typing import Any, ClassVar

import pytest
from django.core import serializers
from django.db import models
from django.test import Client

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Installation, Licence, Software
from tests.cmdb.test_organisation import NamedTests
from tests.crud import ResourceTests
from tests.factories import grant, make_group, make_host, make_user


class TestSoftware(NamedTests):
    model: ClassVar[type[models.Model]] = Software
    further: ClassVar[dict[str, Any]] = {"version": "1", "kind": "software"}


class TestInstallation(ResourceTests):
    model: ClassVar[type[models.Model]] = Installation
    scoped = True
    edit = ("notes", "changed")

    @pytest.fixture(autouse=True)
    def _things(self, group: Any, operator: User) -> None:
        self.group, self.operator = group, operator
        grant(operator, ["cmdb.view_installation"], [group])

    def make(self, number: int = 0, *, outside: bool = False) -> Installation:
        host = make_host(groups=[] if outside else [self.group])
        software, _made = Software.objects.get_or_create(name="redis")
        return Installation.objects.create(software=software, host=host)

    def valid(self) -> dict[str, Any]:
        software, _made = Software.objects.get_or_create(name="redis")
        return {"software": software.pk, "host": make_host().pk}


class TestLicence(ResourceTests):
    model: ClassVar[type[models.Model]] = Licence
    edit = ("notes", "changed")

    def make(self, number: int = 0, *, outside: bool = False) -> Licence:
        software, _made = Software.objects.get_or_create(name="oracle")
        return Licence.objects.create(software=software, seats=3)

    def valid(self) -> dict[str, Any]:
        software, _made = Software.objects.get_or_create(name="oracle")
        return {"software": software.pk, "seats": "5"}


pytestmark = pytest.mark.django_db
KEY = "ABCD-1234-SECRET"


@pytest.fixture
def browser(client_of: Any, admin: User) -> Client:
    """A browser of the administrator."""
    client: Client = client_of(admin)
    return client


def _system(name: str = "Ubuntu", version: str = "24.04", **values: Any) -> Software:
    return Software.objects.create(
        name=name, version=version, kind=Software.Kind.SYSTEM, **values
    )


def test_a_version_is_there_once(browser: Client) -> None:
    sent = {"name": "redis", "version": "7", "kind": "software"}
    assert browser.post("/cmdb/software/add/", sent).status_code == 302
    assert browser.post("/cmdb/software/add/", sent).status_code == 422
    assert Software.objects.count() == 1


def test_support_cannot_end_before_the_release(browser: Client) -> None:
    sent = {"name": "x", "kind": "software", "released_on": "2026-01-01"}
    answer = browser.post(
        "/cmdb/software/add/", sent | {"end_of_support_on": "2025-01-01"}
    )
    assert answer.status_code == 422
    assert "end_of_support_on" in answer.context["form"].errors


def test_hosts_are_counted_by_what_their_agents_found(browser: Client) -> None:
    ubuntu, other = _system(), _system(version="22.04")
    found = [make_host(os_name="Ubuntu", os_version="24.04") for _ in range(2)]
    make_host(os_name="Ubuntu", os_version="24.10")
    make_host(os_name="", os_version="")
    # Entered by hand too: still one host.
    Installation.objects.create(software=ubuntu, host=found[0])
    Installation.objects.create(software=ubuntu, host=make_host())
    counted = {
        row.pk: row.used
        for row in browser.get("/cmdb/software/").context["table"].page.object_list.data
    }
    assert counted == {ubuntu.pk: 3, other.pk: 0}
    assert Installation.objects.count() == 2
    page = browser.get(f"/cmdb/software/{ubuntu.pk}/?tab=hosts").content.decode()
    assert str(found[1]) in page


def test_software_without_a_name_of_a_system_counts_installations_only(
    browser: Client,
) -> None:
    Software.objects.create(name="Ubuntu", version="24.04")
    make_host(os_name="Ubuntu", os_version="24.04")
    rows = browser.get("/cmdb/software/").context["table"].page.object_list.data
    assert [row.used for row in rows] == [0]


def test_only_hosts_that_the_reader_may_see_are_counted(client_of: Any) -> None:
    group = make_group()
    ubuntu = _system()
    make_host("in-group", groups=[group], os_name="Ubuntu", os_version="24.04")
    make_host("elsewhere", os_name="Ubuntu", os_version="24.04")
    perms = ["cmdb.view_software", "cmdb.view_host", "cmdb.view_hostgroup"]
    browser = client_of(make_user(perms=perms, groups=[group]))
    rows = browser.get("/cmdb/software/").context["table"].page.object_list.data
    assert [row.used for row in rows] == [1]
    page = browser.get(f"/cmdb/software/{ubuntu.pk}/?tab=hosts").content.decode()
    assert "in-group" in page
    assert "elsewhere" not in page


def test_more_hosts_than_seats_is_a_warning(browser: Client) -> None:
    oracle = Software.objects.create(name="oracle", version="19c")
    licence = Licence.objects.create(software=oracle, seats=1)
    page = f"/cmdb/licences/{licence.pk}/"
    for _ in range(3):
        Installation.objects.create(software=oracle, host=make_host())
    for address in (page, "/cmdb/licences/"):
        assert "2 more hosts than seats" in browser.get(address).content.decode()
    Licence.objects.create(software=oracle, seats=1)
    assert "1 more hosts than seats" in browser.get(page).content.decode()
    Licence.objects.create(software=oracle, seats=None)
    assert "more hosts than seats" not in browser.get(page).content.decode()


def test_the_list_leads_to_the_licence_and_not_to_its_software(browser: Client) -> None:
    licence = TestLicence().make()
    listed = browser.get("/cmdb/licences/").content.decode()
    assert f'href="/cmdb/licences/{licence.pk}/"' in listed


def test_the_key_of_a_licence_is_shown_nowhere(browser: Client) -> None:
    sent = TestLicence().valid() | {"key": KEY, "expires_on": "2027-01-01"}
    assert browser.post("/cmdb/licences/add/", sent).status_code == 302
    licence = Licence.objects.get()
    assert licence.key.reveal() == KEY
    assert licence.expires_on == date(2027, 1, 1)
    pages = [
        "/cmdb/licences/",
        "/cmdb/licences/?export=csv",
        f"/cmdb/licences/{licence.pk}/",
        f"/cmdb/licences/{licence.pk}/edit/",
        f"/cmdb/licences/{licence.pk}/history/",
        f"/api/v1/licences/{licence.pk}/",
        f"/cmdb/licences/?f.key.contains={KEY[:4]}",
    ]
    sealed = licence.key.sealed
    for page in pages:
        shown = browser.get(page).getvalue().decode()
        assert KEY not in shown, page
        assert sealed not in shown, page
    trail = serializers.serialize("json", AuditEntry.objects.all())
    assert KEY not in trail
    assert sealed not in trail
    assert "set (never shown)" in browser.get(pages[2]).content.decode()


def test_an_empty_box_keeps_the_key_and_a_tick_forgets_it(browser: Client) -> None:
    sent = TestLicence().valid()
    browser.post("/cmdb/licences/add/", sent | {"key": KEY})
    licence = Licence.objects.get()
    edit = f"/cmdb/licences/{licence.pk}/edit/"
    assert browser.post(edit, sent | {"seats": "9"}).status_code == 302
    licence.refresh_from_db()
    assert (licence.key.reveal(), licence.seats) == (KEY, 9)
    assert browser.post(edit, sent | {"clear_key": "on"}).status_code == 302
    licence.refresh_from_db()
    assert licence.key is None


def test_an_import_brings_no_keys(browser: Client) -> None:
    answer = browser.get("/cmdb/licences/import/").content.decode()
    assert "seats" in answer
    assert "clear_key" not in answer
