"""Takes the pictures of docs/screenshots from a running portal: `ADMINSET_ADMIN_PASSWORD=... python -m tests.screenshots URL`."""

import os
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import TimeoutError, sync_playwright

from tests.browser import CHROMIUM, CHROMIUM_OPTIONS
from tests.e2e.conftest import sign_in

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
# Name of the picture -> where it is taken; "&open" opens the first row of that list, "=7d" with that range, "edit/" what lies below it.
PAGES = {
    "home": "/",
    "hosts": "/cmdb/hosts/",
    "host": "/cmdb/hosts/?q=vm&open",
    "host-charts": "/monitor/fleet/?q=sh-shop-web01&open=7d",
    "fleet": "/monitor/fleet/?sort=-disk",
    "heat-map": "/monitor/fleet/map/",
    "coverage": "/monitor/coverage/",
    "checks": "/monitor/service-checks/",
    "packages": "/monitor/packages/",
    "run-add": "/tasks/runs/add/",
    "runs": "/tasks/runs/",
    "schedules": "/tasks/schedules/",
    "audit": "/accounts/audit/",
    "role-add": "/accounts/roles/add/",
    "grants": "/accounts/grants/",
    "explain": "/accounts/explain/?user=admin&permission=cmdb.run_host",
    "my-sessions": "/accounts/me/sessions/",
    "search": "/search/?q=shop",
    "cabinets": "/cmdb/cabinets/",
}
# Those of applications and their deliveries: tests/screenshot_ground.py has what they show.
DELIVERY = {
    "projects": "/appconf/projects/",
    "project": "/appconf/projects/?q=shop&open",
    "project-form": "/appconf/projects/?q=shop&open/edit/",
    "environments": "/appconf/environments/",
    "environment": "/appconf/environments/?q=staging&open",
    "variables": "/appconf/variables/",
    "config-file": "/appconf/config-files/?q=web&open",
    "config-diff": "/appconf/config-files/?q=web&open/diff/",
    "app-packages": "/appconf/packages/",
    "pipelines": "/delivery/pipelines/",
    "pipeline": "/delivery/pipelines/?q=web&open",
    "pipeline-form": "/delivery/pipelines/?q=web&open/edit/",
    "plan": "/delivery/pipelines/?q=web&open/deploy/?ref_kind=branch&ref=main",
    "deploys": "/delivery/deploys/",
    "deploy-running": "/delivery/deploys/?status=running&open",
    "deploy-taken-back": "/delivery/deploys/?status=rolled_back&open",
    "deploy-ended": "/delivery/deploys/?status=ok&open",
    "artefacts": "/delivery/artefacts/",
    "artefact": "/delivery/artefacts/&open",
    "artefact-diff": "/delivery/artefacts/&open/compare/",
    "live": "/delivery/live/",
    "delivery-figures": "/delivery/figures/",
    "locks": "/delivery/locks/",
    "deploy-schedules": "/delivery/deploy-schedules/",
    "git-hooks": "/delivery/git-hooks/",
    "git-hook": "/delivery/git-hooks/&open",
    "release-sets": "/delivery/release-sets/",
    "release-set": "/delivery/release-sets/&open",
}
# Where a page is only there once its form was sent: what is waited for.
SENT = {"plan": "#plan-page form"}
WIDTHS = {"": 1440, "-phone": 390}
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}


def main(url: str) -> int:
    """Take every page in light and dark, English and Chinese."""
    take(url, FOLDER, PAGES, {"": WIDTHS[""]})
    return 0


def take(url: str, folder: Path, pages: dict[str, str], widths: dict[str, int]) -> None:
    """Take pages in these widths, each with what it adds to the name of the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=CHROMIUM_OPTIONS
        )
        for theme in ("light", "dark"):
            for language, locale in LANGUAGES.items():
                context = browser.new_context(
                    base_url=url, color_scheme=theme, locale=locale
                )
                page = context.new_page()
                sign_in(page, password=os.environ["ADMINSET_ADMIN_PASSWORD"])
                end = f"{theme}-{language}.png"
                for name, address in pages.items():
                    _take(page, name, address, folder, end, widths)
                context.close()
        browser.close()


def _take(
    page: Any, name: str, address: str, folder: Path, end: str, widths: dict[str, int]
) -> None:
    try:
        _open(page, name, address)
    except TimeoutError as error:
        # The others have their turn all the same.
        sys.stderr.write(f"{name}-{end}: {error}\n")
        return
    for mark, width in widths.items():
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(300)
        page.screenshot(path=str(folder / f"{name}{mark}-{end}"), full_page=bool(mark))


def _open(page: Any, name: str, address: str) -> None:
    page.set_viewport_size({"width": WIDTHS[""], "height": 900})
    path, _, wish = address.partition("&open")
    page.goto(path)
    if "&open" in address:
        page.locator("tbody td.first a").first.click()
        page.wait_for_load_state()
    place = page.url.split("?")[0]
    if wish.startswith("/"):
        page.goto(f"{place}{wish[1:]}")
    elif wish:
        page.goto(f"{place}?range={wish.lstrip('=')}")
    if name in SENT:
        page.wait_for_selector("select[name=ref]", state="attached", timeout=60_000)
        page.click("main form button[type=submit].btn-primary")
        page.wait_for_selector(SENT[name], timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(600)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
