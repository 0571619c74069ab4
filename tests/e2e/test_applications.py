"""An application in a real browser: entered, given hosts from two lists, seen on one page; a package sent in pieces."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.steps import PATIENCE, choose, save

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("portal"),
    pytest.mark.timeout(400),
]
HOSTS = ("app-oak", "app-elm", "app-ash")
PROJECT = "Tree shop"


def test_an_application_is_entered_and_seen_on_one_page(signed_in: Any) -> None:
    page = signed_in
    for name in HOSTS:
        _add(page, "/cmdb/hosts/add/", hostname=name)
    _add(page, "/cmdb/product-lines/add/", name="Garden", code="garden")
    _add(page, "/cmdb/contacts/add/", name="Ann of trees", email="ann@example.org")
    _add_project(page)
    page.click("text=Add environment")
    page.wait_for_selector(".dual")
    page.fill("[name=name]", "live")
    page.fill("[name=code]", "live")
    _choose_hosts(page)
    save(page)
    assert "live" in page.inner_text("h1")
    page.click(f"main dd a:has-text('{PROJECT}')")
    page.wait_for_selector("#environment-live")
    shown = page.inner_text("main")
    for words in (*HOSTS[:2], "ann@example.org", "night desk", "/srv/trees", "8080"):
        assert words in shown, words
    assert HOSTS[2] not in shown
    assert page.complaints == []


def _add(page: Any, address: str, **values: str) -> None:
    page.goto(address)
    for name, value in values.items():
        page.fill(f"[name={name}]", value)
    save(page)
    assert next(iter(values.values())) in page.inner_text("h1")


def _add_project(page: Any) -> None:
    page.goto("/appconf/projects/add/")
    choose(page, "product_line", "Garden")
    values = {
        "name": PROJECT,
        "code": "trees",
        "owner": "Ann of trees",
        "on_call": "the night desk",
        "deploy_path": "/srv/trees",
        "ports": "8080",
    }
    for name, value in values.items():
        page.fill(f"[name={name}]", value)
    save(page)
    assert PROJECT in page.inner_text("h1")


def _choose_hosts(page: Any) -> None:
    """Find hosts, bring all over, take one out again: by the keyboard and by the buttons."""
    free, chosen = page.locator(".dual select").all()
    page.get_by_placeholder("Find hosts").fill("app-")
    free.locator("option", has_text=HOSTS[0]).wait_for(
        state="attached", timeout=PATIENCE
    )
    page.get_by_role("button", name="Add all", exact=True).click()
    chosen.locator("option").nth(len(HOSTS) - 1).wait_for(
        state="attached", timeout=PATIENCE
    )
    assert sorted(chosen.locator("option").all_inner_texts()) == sorted(HOSTS)
    chosen.select_option(label=HOSTS[2])
    page.get_by_role("button", name="Take out", exact=True).click()
    assert sorted(chosen.locator("option").all_inner_texts()) == sorted(HOSTS[:2])


def test_a_large_package_is_sent_in_pieces_and_comes_back_whole(
    signed_in: Any, tmp_path: Path
) -> None:
    page = signed_in
    body = bytes(range(256)) * 40_000
    file = tmp_path / "jdk-21.tar.gz"
    file.write_bytes(body)
    page.goto("/appconf/packages/add/")
    page.fill("[name=name]", "jdk")
    page.fill("[name=version]", "21")
    save(page)
    page.click("text=Upload file")
    page.set_input_files("[name=upload]", file)
    save(page)
    digest = hashlib.sha256(body).hexdigest()
    page.wait_for_url(re.compile(r"/appconf/packages/\d+/$"), timeout=PATIENCE)
    page.wait_for_selector(f"text={digest}")
    with page.expect_download() as fetched:
        page.click("text=Download")
    assert Path(fetched.value.path()).read_bytes() == body
    assert fetched.value.suggested_filename == file.name
    assert page.complaints == []
