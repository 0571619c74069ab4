"""How soon Chromium has drawn the charts of a page: the page and its data come from memory, after the time that the server took."""

import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.contrib.staticfiles import finders

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ORIGIN, STATIC, JSON = "http://bench.test", "/static/", "application/json"
ROUNDS = 5
PLOTS, OURS = "vendor/uplot/uPlot.iife.min.js", ("js/charts.js", "js/monitor-live.js")
IMPORT = re.compile(r'from "\./([^"]+)"')
# The charts that are within sight, or about to be, when the page opens.
DRAWN = """() => {
    const near = [...document.querySelectorAll("[data-chart]")].filter((one) => one.getBoundingClientRect().top < innerHeight);
    return near.length > 0 && near.every((one) => one.dataset.state === "drawn") && performance.now();
}"""
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


def script_bytes() -> int:
    """Count the bytes of what draws charts, with all that it imports."""
    found = {PLOTS}.union(*(imported_by(name) for name in OURS))
    return sum(_file(name).stat().st_size for name in found)


def imported_by(name: str) -> set[str]:
    """Name a script, what it imports, and so on."""
    found: set[str] = set()
    ahead = [name]
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead += [f"js/{each}" for each in IMPORT.findall(_file(name).read_text())]
    return found


def _file(name: str) -> Path:
    return Path(str(finders.find(name)))


class Server:
    """Answers what the page asks: itself and its data after the time that each took, static files at once, all else with nothing."""

    def __init__(self, url: str, html: bytes, data: bytes, served: float) -> None:
        self.path, self.html, self.data = urlsplit(url).path, html, data
        self.served = served

    def __call__(self, route: Any) -> None:
        path = urlsplit(route.request.url).path
        if path in {self.path, f"{self.path}charts/"}:
            time.sleep(self.served)
            is_page = path == self.path
            route.fulfill(
                body=self.html if is_page else self.data,
                content_type="text/html; charset=utf-8" if is_page else JSON,
            )
        elif path.startswith(STATIC) and (found := finders.find(path[len(STATIC) :])):
            kind = TYPES.get(Path(str(found)).suffix, "application/octet-stream")
            route.fulfill(path=str(found), content_type=kind)
        else:
            route.fulfill(status=204)


def seconds(url: str, html: bytes, data: bytes, served: float) -> float | None:
    """Give the median of the seconds from opening the page until its charts in sight are drawn; None without a browser.

    Args:
        url: of the page. html, data: what the server answered to it and to its charts. served: seconds that each took.
    """
    if not CHROMIUM.exists():
        return None
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=OPTIONS
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.route("**/*", Server(url, html, data, served))
        times = [_one(page, url) for _ in range(ROUNDS)]
        browser.close()
    return sorted(times)[ROUNDS // 2]


def _one(page: Any, url: str) -> float:
    page.goto(f"{ORIGIN}{url}", wait_until="commit")
    found = page.wait_for_function(DRAWN, polling=10)
    return float(found.json_value()) / 1000
