"""What a person does to deliver something, step by step on the pages; and two hosts whose folders are their own."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests import farm as farms
from tests.e2e.conftest import Portal, planted, sign_in
from tests.e2e.steps import PATIENCE, choose, save
from tests.farm import SshFarm

# Its servers are one machine: each of them sees a folder of its own at the place.
WRAPPER = """\
#!/bin/sh
own="$(dirname "$4")/own"
mkdir -p "$own"
exec unshare --mount --propagation private sh -c \\
    'mount --bind "$1" {place} && shift && exec {sshd} "$@"' sh "$own" "$@"
"""


@contextmanager
def own_folders(count: int, folder: Path) -> Iterator[tuple[SshFarm, Path]]:
    """Start servers each of which has a folder of its own at one place; give them and the place."""
    if os.getuid() != 0 or shutil.which("unshare") is None:
        pytest.skip(
            "hosts with folders of their own can be made by root only (unshare)"
        )
    place, wrapper = folder / "place", folder / "sshd"
    place.mkdir(parents=True)
    wrapper.write_text(WRAPPER.format(place=place, sshd=farms.SSHD))
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(farms, "SSHD", str(wrapper))
        with SshFarm(count, folder / "farm") as started:
            yield started, place


class Repository:
    """A git repository with one branch, which a server of a farm gives out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch=main")

    def commit(self, words: str, **files: str) -> str:
        """Commit files; give the id of the commit."""
        for name, text in files.items():
            (self.folder / name).write_text(text)
        self._git("add", "--all")
        self._git("commit", "--quiet", "-m", words)
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *words: str) -> str:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
        done = subprocess.run(
            ["git", *who, *words],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout


def add_project(page: Any, repository: str, credential: str, path: str) -> None:
    """Add a product line and a project with its source."""
    page.goto("/cmdb/product-lines/add/")
    page.fill("[name=name]", "Trade")
    page.fill("[name=code]", "trade")
    save(page)
    page.goto("/appconf/projects/add/")
    page.fill("[name=name]", "Shop")
    page.fill("[name=code]", "shop")
    choose(page, "product_line", "Trade")
    page.fill("[name=source_address]", repository)
    choose(page, "source_credential", credential)
    page.fill("[name=deploy_path]", path)
    save(page)
    assert "Shop" in page.inner_text("h1")


def add_environment(page: Any, name: str, hosts: tuple[str, ...]) -> None:
    """Add an environment of the project with its hosts."""
    page.goto("/appconf/environments/add/")
    choose(page, "project", "Shop")
    page.fill("[name=name]", name)
    page.fill("[name=code]", name)
    choose(page, "hosts", *hosts)
    save(page)
    assert name in page.inner_text("h1")


def add_pipeline(page: Any, command: str, health: str) -> None:
    """Add a pipeline: a build, a canary that must be well, one approval."""
    page.goto("/delivery/pipelines/add/")
    choose(page, "project", "Shop")
    page.fill("[name=name]", "web")
    # The rows that a new pipeline has: distribute and switch; the build comes before them.
    page.select_option("[name=stages-0-kind]", "build")
    page.fill("[name=stages-0-title]", "Make it")
    page.fill("[name=stages-0-command]", command)
    page.select_option("[name=stages-1-kind]", "distribute")
    page.select_option("[name=stages-2-kind]", "activate")
    choose(page, "policy", "canary")
    page.fill("[name=canary_watch_seconds]", "1")
    choose(page, "health_kind", "a command")
    page.fill("[name=health_target]", health)
    page.fill("[name=health_attempts]", "1")
    page.fill("[name=approvals_needed]", "1")
    save(page)
    assert "web" in page.inner_text("h1")


def add_approver(page: Any, name: str, password: str) -> None:
    """Add somebody who may deliver, and so approve."""
    planted.add(f"password of {name}", password)
    page.goto("/accounts/users/add/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", password)
    page.uncheck("[name=must_change]")
    save(page)
    page.goto("/accounts/grants/add/")
    choose(page, "user", name)
    choose(page, "role", "developer")
    page.check("[name=everything]")
    save(page)


def ask_for(page: Any, branch: str, reason: str) -> str:
    """Choose a branch in the form of a deploy, read the plan, say yes; give the address of the deploy."""
    page.goto("/delivery/pipelines/")
    page.locator("tbody a[title=Deploy]").click()
    page.wait_for_selector("select[name=ref]", state="attached", timeout=PATIENCE)
    choose(page, "ref", branch)
    page.click("text=Show the plan")
    page.wait_for_selector("text=Say yes to this plan", timeout=PATIENCE)
    page.click("text=Check the hosts now")
    page.wait_for_selector("text=2 of 2 hosts are ready", timeout=PATIENCE)
    page.fill("[name=reason]", reason)
    page.click("button:has-text('Deploy to 2 hosts')")
    page.wait_for_selector("#deploy-state", timeout=PATIENCE)
    return str(page.url)


def wait_for(page: Any, status: str) -> None:
    """Wait on the page of a deploy until it stands so; the page reads itself again."""
    page.wait_for_selector(f"[data-deploy-status={status}]", timeout=2 * PATIENCE)


def approve(
    browser: Any, portal: Portal, address: str, name: str, password: str
) -> None:
    """Approve a deploy as somebody else."""
    context = browser.new_context(base_url=portal.url, locale="en-US")
    page = context.new_page()
    sign_in(page, name, password)
    page.goto(address)
    page.click("text=Approve or refuse")
    page.wait_for_selector("text=On 2 hosts")
    page.click("button:has-text('Approve')")
    page.wait_for_selector("text=Your decision is saved.")
    context.close()
