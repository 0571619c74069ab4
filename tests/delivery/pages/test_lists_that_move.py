"""Lists of what goes on read themselves again as long as something does; what their reader holds stays held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import User
from delivery.models import Deploy
from tasks.models import Run
from tests.browser import CHROMIUM, page_of
from tests.delivery.factories import make_deploy, make_pipeline, make_step
from tests.delivery.pages.conftest import Place, make_place

WATCH = "data-list-watch"
LISTS = ["delivery:pipeline_list", "delivery:deploy_list"]
Signed = Callable[[User], Client]


def _text(client: Client, name: str, **headers: Any) -> str:
    return client.get(reverse(name), headers=headers).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_again_while_a_deploy_in_it_goes_on(
    client_of: Signed, deployer: User, here: Place, name: str
) -> None:
    client = client_of(deployer)
    assert WATCH not in _text(client, name)
    deploy = make_deploy(here.environment, pipeline=here.pipeline, status="running")
    assert WATCH in _text(client, name)
    assert WATCH in _text(client, name, **{"HX-Request": "true"})
    Deploy.objects.filter(pk=deploy.pk).update(status="ok")
    assert WATCH not in _text(client, name)


@pytest.mark.django_db
@pytest.mark.parametrize("name", LISTS)
def test_what_the_reader_may_not_see_keeps_no_list_asking(
    client_of: Signed, deployer: User, here: Place, elsewhere: Place, name: str
) -> None:
    make_deploy(elsewhere.environment, pipeline=elsewhere.pipeline, status="running")
    assert WATCH not in _text(client_of(deployer), name)


@pytest.mark.django_db
def test_the_list_of_runs_asks_again_while_one_goes_on(
    client_of: Signed, admin: User
) -> None:
    client = client_of(admin)
    assert WATCH not in _text(client, "tasks:run_list")
    Run.objects.create(title="long", status="running")
    assert WATCH in _text(client, "tasks:run_list")


@pytest.fixture
def page(
    live_server: Any,
    client_of: Signed,
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Page]:
    """A browser with the administrator signed in."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with page_of(live_server.url, client_of(admin)) as opened:
        yield opened


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium")
def test_the_list_of_pipelines_moves_and_keeps_what_its_reader_holds(
    page: Page,
) -> None:
    here = make_place("shop")
    make_pipeline(here.project, name="second")
    deploy = make_deploy(here.environment, pipeline=here.pipeline, status="running")
    make_step(deploy, "distribute", "running", done=1, total=4)
    page.goto(reverse("delivery:pipeline_list") + "?q=shop&sort=name")
    row = page.locator(f'tr[data-key="{here.pipeline.pk}"]')
    row.locator("[data-select-row]").check()
    row.locator("td.first a").focus()
    page.evaluate("document.querySelector('tbody').rows[0].dataset.mine = 'yes'")
    page.locator(".view-name").locator("..").click()
    row.locator("td.first a").evaluate("link => link.focus()")
    assert row.locator("progress").get_attribute("value") == "25.0"

    deploy.steps.update(done=3)
    page.wait_for_selector('progress[value="75.0"]')
    third = make_pipeline(here.project, name="a new one")
    page.wait_for_selector(f'tr[data-key="{third.pk}"]')
    assert row.locator("[data-select-row]").is_checked()
    assert page.locator("[data-bulk-count]").is_visible()
    assert page.locator("tr[data-mine=yes]").count() == 1
    assert page.locator(".view-menu.show").count() == 1
    assert page.evaluate("document.activeElement.closest('tr').dataset.key") == str(
        here.pipeline.pk
    )
    assert page.url.endswith("?q=shop&sort=name")

    Deploy.objects.update(status="ok")
    page.wait_for_selector("[data-list-watch]", state="detached")
    assert row.locator(".state-ok").first.is_visible()
