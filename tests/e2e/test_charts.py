"""Charts in a real browser: gaps, bands, one crosshair, a range that is drawn, marks that lead on, both themes and languages."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.e2e import made_charts
from tests.e2e.conftest import Portal, sign_in, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]
VIEW = "window.adminsetCharts.get('chart-%s')"
PAGE = "/monitor/hosts/1/?range=1h"


@pytest.fixture
def charts(page: Any) -> Iterator[Any]:
    """The page of a host whose measurements are made up."""

    def fulfill(route: Any) -> None:
        made = made_charts.answer(route.request.url)
        route.fulfill(body=json.dumps(made), content_type="application/json")

    sign_in(page)
    page.route("**/monitor/hosts/1/charts/**", fulfill)
    # Its tables are for others to test.
    page.route("**/monitor/hosts/1/state/", lambda route: route.fulfill(body=""))
    page.goto(PAGE)
    page.wait_for_selector("#chart-memory[data-state=drawn]")
    yield page
    assert page.complaints == []


def of(page: Any, chart: str, words: str) -> Any:
    """Evaluate words of a chart's view."""
    return page.evaluate(f"{VIEW % chart}.{words}")


def over(page: Any, chart: str, part: float) -> tuple[float, float]:
    """Give the place over a chart that lies that far to the right."""
    box = page.locator(f"#chart-{chart} .u-over").bounding_box()
    return box["x"] + box["width"] * part, box["y"] + box["height"] / 2


def zoomed(page: Any) -> tuple[int, int] | None:
    """Give the range that stands in the address."""
    asked = parse_qs(page.evaluate("location.search.slice(1)"))
    return (int(asked["from"][0]), int(asked["to"][0])) if "from" in asked else None


def draw_range(page: Any, start: float, end: float) -> None:
    page.mouse.move(*over(page, "cpu", start))
    page.mouse.down()
    page.mouse.move(*over(page, "cpu", end), steps=4)
    page.mouse.up()


def test_what_was_not_measured_is_a_gap_and_never_a_zero(charts: Any) -> None:
    column = of(charts, "load", "shape.data[3]")
    assert column[20:26] == [None] * 6
    assert 0 not in column
    times = of(charts, "load", "shape.data[0]")
    first = made_charts.SILENCE.start
    assert column[first] is None
    assert times[first] - times[first - 1] == pytest.approx(made_charts.STEP)
    assert times[first + 1] - times[first] > 500
    roles = of(charts, "load", "shape.parts.map((part) => part.role)")
    assert roles == ["low", "high", "line"]


def test_a_line_that_is_measured_less_often_is_whole(charts: Any) -> None:
    breaks = of(charts, "memory", "shape.data[2].slice(0, 70).includes(null)")
    assert breaks is False


def test_areas_lie_on_one_another_and_a_hidden_one_is_taken_out(charts: Any) -> None:
    assert of(charts, "cpu", "shape.data.slice(1).map((c) => c[0])") == [30, 20, 30]
    charts.locator("#chart-cpu [data-line=User]").click()
    assert of(charts, "cpu", "shape.data.slice(1).map((c) => c[0])") == [10, 30]
    pressed = charts.locator("#chart-cpu [data-line=User]").get_attribute
    assert pressed("aria-pressed") == "false"


def test_one_crosshair_says_the_values_of_every_chart(charts: Any) -> None:
    charts.mouse.move(*over(charts, "cpu", 0.1))
    for chart in ("cpu", "load", "memory"):
        assert of(charts, chart, "plot.cursor.idx") > 0
    tip = charts.inner_text(".chart-tip")
    assert "User" in tip
    assert "20 %" in tip
    charts.mouse.move(5, 5)
    assert charts.is_hidden(".chart-tip")


def test_keys_walk_over_the_moments_and_say_them(charts: Any) -> None:
    charts.focus("#chart-load .chart-box")
    charts.keyboard.press("Home")
    charts.keyboard.press("ArrowRight")
    assert of(charts, "load", "plot.cursor.idx") == 1
    assert charts.get_attribute(".chart-tip", "aria-live") == "polite"
    assert "3 tasks" in charts.inner_text(".chart-tip")
    charts.keyboard.press("Escape")
    assert charts.is_hidden(".chart-tip")


def test_a_stretch_that_is_drawn_becomes_the_range_of_the_page(charts: Any) -> None:
    draw_range(charts, 0.25, 0.75)
    wait_until("the range in the address", lambda: zoomed(charts))
    start, end = zoomed(charts) or (0, 0)
    assert 1700 < end - start < 1900
    wanted = f"from={start}&to={end}"
    wait_until("new data", lambda: wanted in of(charts, "load", "source.url"))
    wait_until("them drawn", lambda: of(charts, "load", "chart.start") == start)
    assert of(charts, "load", "window") == [start, end]
    assert charts.locator("#range-bar [aria-current]").count() == 0
    assert charts.locator("[data-live-note]").count() == 0
    charts.mouse.dblclick(*over(charts, "cpu", 0.3))
    wait_until("the range before", lambda: zoomed(charts) is None)
    charts.wait_for_selector("#range-bar [aria-current]")
    charts.go_back()
    wait_until("the zoomed range", lambda: zoomed(charts) == (start, end))


def test_a_mark_says_what_happened_and_leads_there(charts: Any) -> None:
    charts.mouse.move(*over(charts, "cpu", 0.4))
    assert charts.is_hidden("#chart-cpu .chart-mark")
    charts.mouse.move(*over(charts, "cpu", 0.5))
    assert made_charts.MARK in charts.inner_text(".chart-tip")
    link = charts.locator("#chart-cpu .chart-mark")
    assert link.get_attribute("aria-label") == made_charts.MARK
    charts.mouse.click(*over(charts, "cpu", 0.5))
    charts.wait_for_url(f"**{made_charts.MARK_URL}")


def test_another_theme_changes_the_colours_at_once(charts: Any) -> None:
    stroke = "plot.series.at(-1).stroke()"
    light = of(charts, "load", stroke)
    charts.evaluate(
        "const button = document.querySelector('[data-theme-form] [value=dark]');"
        "button.form.requestSubmit(button)"
    )
    wait_until("dark colours", lambda: of(charts, "load", stroke) != light)
    assert charts.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert charts.complaints == []


def test_an_axis_speaks_the_readers_language_in_his_zone(
    browser: Any, portal: Portal
) -> None:
    context = browser.new_context(
        base_url=portal.url, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    page = context.new_page()
    sign_in(page)
    labels = page.evaluate(
        """import("/static/js/chart-format.js").then(({ timeLabels }) =>
        [3600, 86400, 90 * 86400].map((step) => timeLabels([1795219200], step)[0]))"""
    )
    context.close()
    assert labels == ["08:00", "11月21日", "2026年11月"]


def test_live_values_are_put_behind_and_the_cursor_stays(charts: Any) -> None:
    charts.route("**/monitor/hosts/1/watch/", lambda route: route.fulfill(status=204))
    newest = "chart.times.at(-1)"
    before = of(charts, "load", newest)
    charts.locator("button[data-live]").click()
    wait_until("values", lambda: of(charts, "load", newest) > before + 2)
    charts.mouse.move(*over(charts, "load", 0.1))
    last = of(charts, "load", newest)
    wait_until("more of them", lambda: of(charts, "load", newest) > last)
    assert charts.is_visible(".chart-tip")
    span = of(charts, "load", "window")
    assert span[1] - span[0] == pytest.approx(3600)


def test_every_script_of_the_page_runs_once(charts: Any) -> None:
    loaded = charts.evaluate(
        "performance.getEntriesByType('resource').map((one) => new URL(one.name).pathname)"
    )
    plain = [re.sub(r"\.[0-9a-f]{12}\.js$", ".js", name) for name in loaded]
    scripts = [name for name in plain if name.endswith(".js")]
    assert "/static/js/words.js" in scripts
    assert len(scripts) == len(set(scripts)), sorted(scripts)


def test_a_bar_is_a_link_that_the_keyboard_reaches(page: Any) -> None:
    sign_in(page)
    page.goto("/cmdb/dashboard/")
    bar = page.locator(".bars[data-state=drawn] a.bar").first
    bar.focus()
    # The charts above may be drawn later than this one: ask the bar that has the focus, not the first again.
    target = page.evaluate("document.activeElement.getAttribute('href')")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{target}")
    assert page.complaints == []
