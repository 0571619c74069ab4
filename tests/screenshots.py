"""Takes the pictures of docs/screenshots from a running portal: `ADMINSET_ADMIN_PASSWORD=... python -m tests.screenshots URL`."""

import os
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser import CHROMIUM, CHROMIUM_OPTIONS
from tests.e2e.conftest import sign_in

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
# Name of the picture -> where it is taken; "&open" opens the first row of that list, "=7d" with that range.
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
LANGUAGES = {"en": "en-US", "zh": "zh-CN"}


def main(url: str) -> int:
    """Take every page in light and dark, English and Chinese."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=CHROMIUM_OPTIONS
        )
        for theme in ("light", "dark"):
            for language, locale in LANGUAGES.items():
                context = browser.new_context(
                    base_url=url,
                    viewport={"width": 1440, "height": 900},
                    color_scheme=theme,
                    locale=locale,
                )
                page = context.new_page()
                sign_in(page, password=os.environ["ADMINSET_ADMIN_PASSWORD"])
                for name, address in PAGES.items():
                    _take(page, address, FOLDER / f"{name}-{theme}-{language}.png")
                context.close()
        browser.close()
    return 0


def _take(page: Any, address: str, file: Path) -> None:
    path, _, wish = address.partition("&open")
    page.goto(path)
    if "&open" in address:
        page.locator("tbody td.first a").first.click()
        page.wait_for_load_state()
    if wish:
        page.goto(f"{page.url.split('?')[0]}?range={wish.lstrip('=')}")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(600)
    page.screenshot(path=str(file))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
