"""The task centre in a real browser on two real hosts: a module with a form is written and run, a run is stopped, the failed host is tried again."""

import re
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.conftest import Portal, sign_in, wait_until
from tests.e2e.steps import (
    PATIENCE,
    add_two_hosts,
    choose,
    host_states,
    launch,
    save,
    wait_for_status,
)
from tests.farm import SshFarm

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("portal"),
    pytest.mark.timeout(400),
]
HOSTS = ("harbour", "lighthouse")
# It waits for a file, so that the page can be looked at while it runs.
MODULE = """\
name: look-out
title: Look out
category: Tests
timeout_seconds: 120
fields:
  - {name: who, label: Who looks, pattern: "[A-Za-z ]+", pattern_help: Letters only.}
  - {name: how, type: select, label: How to look, choices: [far, near], default: far}
  - {name: glass, label: Which glass, shown_when: {how: far}}
  - {name: folder, label: Where the sign is}
script: |
  echo "$ADMINSET_WHO looks $ADMINSET_HOW with $ADMINSET_GLASS"
  until [ -e "$ADMINSET_FOLDER/sign" ]; do sleep 0.2; done
  echo "the sign was seen"
"""
# Both hosts are this machine: the port of the server tells them apart.
FAILS_WITHOUT_FILE = 'set -- $SSH_CONNECTION; echo "port $4"; cat {folder}/$4'


@pytest.fixture(scope="module")
def hosts(browser: Any, portal: Portal, farm: SshFarm) -> tuple[str, ...]:
    """Two hosts of the CMDB on which work can run."""
    context = browser.new_context(base_url=portal.url, locale="en-US")
    page = context.new_page()
    sign_in(page)
    add_two_hosts(page, farm, HOSTS)
    context.close()
    return HOSTS


def test_a_module_with_a_form_is_written_and_runs_on_two_hosts_while_one_watches(
    signed_in: Any, hosts: tuple[str, ...], tmp_path: Path
) -> None:
    page = signed_in
    _write_module(page)
    page.goto("/tasks/task-modules/gallery/?q=look-out")
    page.get_by_role("link", name="Run Look out").click()
    _answer(page, tmp_path)
    _look_at_preview(page)
    page.click("button[name=action][value=launch]")
    page.wait_for_url(re.compile(r"/tasks/runs/\d+/"))
    _watch(page, tmp_path / "sign")
    assert page.complaints == []


def _write_module(page: Any) -> None:
    page.goto("/tasks/task-modules/add/")
    page.fill("#id_text", MODULE.replace("script:", "scripts:"))
    page.wait_for_selector("#module-check >> text=scripts", timeout=PATIENCE)
    page.fill("#id_text", MODULE)
    page.wait_for_selector("#module-check >> text=Who looks", timeout=PATIENCE)
    save(page)
    assert "Look out" in page.inner_text("h1")


def _answer(page: Any, folder: Path) -> None:
    """Answer wrongly first: the page says so, and keeps the rest."""
    choose(page, "hosts", *HOSTS)
    page.get_by_label("Who looks").fill("Ann 99")
    page.get_by_label("How to look").select_option("near")
    assert page.get_by_label("Which glass").is_hidden()
    page.get_by_label("How to look").select_option("far")
    page.get_by_label("Which glass").fill("the 'old' one; $(id)")
    page.get_by_label("Where the sign is").fill(str(folder))
    with page.expect_response(lambda answer: answer.status == 422):
        save(page)
    assert "Letters only." in page.inner_text("main")
    page.complaints.clear()
    page.get_by_label("Who looks").fill("Ann")
    save(page)


def _look_at_preview(page: Any) -> None:
    shown = page.inner_text("main")
    assert all(name in shown for name in HOSTS)
    assert "Look out" in shown
    assert "Run on 2 hosts" in shown


def _watch(page: Any, sign: Path) -> None:
    said = "Ann looks far with the 'old' one; $(id)"
    page.wait_for_selector(f"[data-text] >> text={said}", timeout=PATIENCE)
    wait_until(
        "both hosts at work",
        lambda: host_states(page) == dict.fromkeys(HOSTS, "running"),
    )
    wait_for_status(page, "running")
    assert "the sign was seen" not in page.inner_text("[data-text]")
    sign.touch()
    page.wait_for_selector("[data-text] >> text=the sign was seen", timeout=PATIENCE)
    wait_for_status(page, "ok")
    page.reload()
    assert host_states(page) == dict.fromkeys(HOSTS, "ok")
    assert "all 2 alike" in page.inner_text("#run-state")


def test_a_run_that_is_stopped_ends_on_both_hosts_and_says_who_stopped_it(
    signed_in: Any, hosts: tuple[str, ...], farm: SshFarm
) -> None:
    page = signed_in
    _launch_command(page, "echo begun; sleep 347; echo never")
    page.wait_for_selector("[data-text] >> text=begun", timeout=PATIENCE)
    wait_until("both sleeping", lambda: len(_sleepers(farm)) == len(HOSTS))
    page.get_by_role("button", name="Stop").click()
    wait_for_status(page, "cancelled")
    wait_until("nobody sleeping", lambda: not _sleepers(farm), 15)
    page.reload()
    assert host_states(page) == dict.fromkeys(HOSTS, "cancelled")
    assert "Cancelled by admin." in page.inner_text("#run-state")
    assert "never" not in page.inner_text("[data-text]")
    number = page.url.rstrip("/").rpartition("/")[2]
    page.goto("/accounts/audit/?verb=run.cancel")
    assert f"#{number}" in page.inner_text("tbody")
    assert page.complaints == []


def _sleepers(farm: SshFarm) -> list[psutil.Process]:
    """Give what sleeps on the hosts."""
    found = []
    for process in (child for host in farm.hosts for child in host.children()):
        try:
            if process.cmdline() == ["sleep", "347"]:
                found.append(process)
        except psutil.Error:
            continue
    return found


def _launch_command(page: Any, command: str) -> int:
    page.goto("/tasks/runs/add/?kind=command")
    page.fill("[name=command]", command)
    choose(page, "hosts", *HOSTS)
    return launch(page)


def test_the_host_that_failed_is_tried_again_alone_and_ends_well_once_it_is_mended(
    signed_in: Any, hosts: tuple[str, ...], farm: SshFarm, tmp_path: Path
) -> None:
    page = signed_in
    well, ill = (str(host.port) for host in farm.hosts)
    (tmp_path / well).write_text("all is well\n")
    first = _launch_command(page, FAILS_WITHOUT_FILE.format(folder=tmp_path))
    wait_for_status(page, "failed")
    page.reload()
    assert host_states(page) == {HOSTS[0]: "ok", HOSTS[1]: "failed"}

    (tmp_path / ill).write_text("mended\n")
    page.get_by_role("button", name="Retry where it failed").click()
    page.wait_for_url(lambda url: f"/runs/{first}/" not in url)
    wait_for_status(page, "ok")
    page.wait_for_selector("[data-text] >> text=mended", timeout=PATIENCE)
    page.reload()
    assert host_states(page) == {HOSTS[1]: "ok"}
    page.goto(f"/tasks/runs/{first}/")
    assert host_states(page) == {HOSTS[0]: "ok", HOSTS[1]: "failed"}
    assert page.complaints == []
