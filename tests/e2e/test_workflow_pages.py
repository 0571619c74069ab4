"""A workflow with an approval in a real browser: built, started, approved by somebody else, seen through to its end."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Portal, planted, sign_in
from tests.e2e.steps import PATIENCE, add_two_hosts, choose, save
from tests.farm import SshFarm

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("portal"),
    pytest.mark.timeout(400),
]
HOSTS = ("kitchen", "cellar")
PERSON, PASSWORD = "otto", "the word of the second pair 4711"
RULE = "two pairs of eyes"
WORKFLOW = "Spring clean"


def test_a_workflow_waits_for_another_persons_word_and_goes_on_to_its_end(
    signed_in: Any, browser: Any, portal: Portal, farm: SshFarm, tmp_path: Path
) -> None:
    page = signed_in
    add_two_hosts(page, farm, HOSTS)
    _add_person(page)
    _add_rule(page)
    _build(page, tmp_path)
    _start(page)
    page.wait_for_selector("#step-sure >> text=waits for approval", timeout=PATIENCE)
    assert (tmp_path / "first").read_text() == "begun\nbegun\n"
    page.locator("#step-sure").get_by_role("link", name="Approval").click()
    page.wait_for_selector("text=You asked for it: others decide.")
    assert page.get_by_role("button", name="Approve").count() == 0
    # What the page fetched of itself meanwhile does not take its place.
    page.go_back()
    page.wait_for_selector("main #workflow-state")
    _approve(browser, portal)
    _see_the_end(page, tmp_path)
    assert page.complaints == []


def _add_person(page: Any) -> None:
    planted.add("password of the other person", PASSWORD)
    page.goto("/accounts/users/add/")
    page.fill("[name=username]", PERSON)
    page.fill("[name=password]", PASSWORD)
    page.uncheck("[name=must_change]")
    save(page)
    page.goto("/accounts/grants/add/")
    choose(page, "user", PERSON)
    choose(page, "role", "operator")
    page.check("[name=everything]")
    save(page)
    assert PERSON in page.inner_text("main")


def _add_rule(page: Any) -> None:
    page.goto("/tasks/approval-rules/add/")
    page.fill("[name=name]", RULE)
    page.uncheck("[name=automatic]")
    choose(page, "users", PERSON)
    save(page)
    assert RULE in page.inner_text("h1")


def _build(page: Any, folder: Path) -> None:
    """Three steps: work on two hosts, the word of others, work on the hosts where the first went well."""
    page.goto("/tasks/workflows/add/")
    page.fill("[name=name]", WORKFLOW)
    save(page)
    page.goto(f"{page.url}?tab=steps")
    _add_step(page, "work on hosts", "sweep", "Sweep")
    page.fill("[name=command]", f"echo begun >> {folder}/first")
    choose(page, "hosts", *HOSTS)
    save(page)
    _add_step(page, "approval", "sure", "Are we sure?")
    choose(page, "rule", RULE)
    choose(page, "after_sweep", "after success")
    save(page)
    _add_step(page, "work on hosts", "shine", "Shine")
    page.fill("[name=command]", f"echo done >> {folder}/last; echo it shines")
    choose(page, "hosts_from", "Sweep")
    choose(page, "hosts_which", "those where it ended well")
    choose(page, "after_sure", "after success")
    save(page)
    assert page.locator(".wf-drawing .wf-box").count() == 3
    assert page.locator(".wf-drawing path.wf-line.wf-success").count() == 2


def _add_step(page: Any, kind: str, key: str, title: str) -> None:
    page.locator("main").get_by_role("link", name=kind, exact=False).first.click()
    page.fill("[name=key]", key)
    page.fill("[name=title]", title)


def _start(page: Any) -> None:
    page.get_by_role("link", name="Start").click()
    assert "What will happen" in page.inner_text("main")
    save(page)
    page.wait_for_url(re.compile(r"/tasks/workflow-runs/\d+/"))


def _approve(browser: Any, portal: Portal) -> None:
    """Do what the other person does."""
    context = browser.new_context(base_url=portal.url, locale="en-US")
    page = context.new_page()
    sign_in(page, PERSON, PASSWORD)
    page.goto("/tasks/approvals/inbox/")
    page.locator("tbody a").first.click()
    shown = page.inner_text("main")
    assert "Asked by" in shown
    assert "it shines" in shown
    assert all(name in shown for name in HOSTS)
    page.fill("[name=comment]", "It is spring.")
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url("**/approvals/inbox/")
    assert "Nothing waits for you" in page.inner_text("main")
    context.close()


def _see_the_end(page: Any, folder: Path) -> None:
    page.wait_for_selector(
        "#workflow-state .card-header >> text=ok", timeout=2 * PATIENCE
    )
    assert "3 of 3 steps done" in page.inner_text("#workflow-state")
    assert (folder / "last").read_text() == "done\ndone\n"
    assert (folder / "first").read_text() == "begun\nbegun\n"
    page.locator("#step-shine").get_by_role("link", name=re.compile("Run #")).click()
    assert "it shines" in page.inner_text("[data-text]")
