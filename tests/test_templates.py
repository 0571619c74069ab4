"""Templates, styles and scripts keep to the house: they compile, hold nothing inline, say their variables, stay short."""

import re
import statistics
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Engine, Template
from django.template.loader import get_template, render_to_string

from adminset.templatetags import ui

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted(
    path for name in ("js", "files") for path in (ROOT / "static" / name).glob("*.js")
)
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))
MOST_TEMPLATE_LINES, MOST_MEDIAN, MOST_SCRIPT_LINES = 150, 30, 120
INLINE = {
    "an inline script": re.compile(
        r"<script(?![^>]*\ssrc=)(?![^>]*application/json)[^>]*>", re.I
    ),
    "an inline style": re.compile(r"<style\b|\sstyle\s*=", re.I),
    "an on* attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I),
    "htmx code that needs eval": re.compile(
        r"\shx-on|hx-trigger=[^>]*?\[|hx-(vals|headers)='?\"?js:", re.I
    ),
    "an address outside": re.compile(r"(src|href|action)=[\"']https?://", re.I),
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_compiles(path):
    name = path.relative_to(ROOT / "templates").as_posix()
    assert get_template(name).template.name == name


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_holds_nothing_that_the_csp_refuses(path):
    text = path.read_text()
    assert [what for what, pattern in INLINE.items() if pattern.search(text)] == []


@pytest.mark.parametrize(
    "path",
    [p for p in TEMPLATES if p.parent.name in {"components", "generic"}],
    ids=name_of,
)
def test_component_opens_with_its_variables(path):
    text = re.sub(r"^{% extends [^%]+%}\s*", "", path.read_text())
    assert text.startswith("{% comment %}")


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_is_short(path):
    assert len(path.read_text().splitlines()) <= MOST_TEMPLATE_LINES


def test_most_templates_are_very_short():
    assert (
        statistics.median(len(p.read_text().splitlines()) for p in TEMPLATES)
        <= MOST_MEDIAN
    )


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_script_is_short_says_what_it_is_for_and_never_writes_html(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_SCRIPT_LINES
    assert text.startswith("// ")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function",
        text,
    )


@pytest.mark.parametrize("path", STYLES, ids=name_of)
def test_style_opens_with_its_purpose_and_asks_nobody_outside(path):
    text = path.read_text()
    assert text.startswith("/* ")
    assert not re.search(r"https?://|@import", text)


def test_every_word_that_a_script_says_is_given_by_the_server():
    given = re.findall(
        r"data-([a-z-]+)=", get_template("components/_scripts.html").template.source
    )
    asked = {
        word
        for path in SCRIPTS
        if path.parent.name == "js"
        for word in re.findall(r"\bsay\(\"(\w+)\"", path.read_text())
    }
    asked |= {
        word
        for path in SCRIPTS
        if path.parent.name == "js"
        for word in re.findall(r"\.state\(\"(\w+)\"\)", path.read_text())
    }
    as_attribute = {
        re.sub(r"([A-Z])", lambda m: f"-{m[1].lower()}", word) for word in asked
    }
    assert as_attribute <= set(given)


@pytest.mark.parametrize("state", sorted(ui.STATES))
def test_a_state_is_a_colour_an_icon_and_a_word(state):
    html = Template(
        '{% status_badge state "In use" %}', engine=Engine.get_default()
    ).render(Context({"state": state}))
    assert f"state-{state}" in html
    assert "fa-solid" in html
    assert "In use" in html


def test_an_unknown_state_is_idle_and_text_is_escaped():
    html = Template("{% status_badge 'x' label %}").render(Context({"label": "<b>"}))
    assert "state-idle" in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (16 * 2**30, "16 GiB"),
        (2**60, "1,024.0 PiB"),
    ],
)
def test_bytes_are_said_in_powers_of_1024(value, said):
    assert ui.filesize_iec(value).replace(",", "") == said.replace(",", "")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        (0.41, "0.4 s"),
        (0, "0 s"),
        (200, "3 min 20 s"),
        (187200, "2 d 4 h"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(value, said):
    assert ui.duration(value) == said


def test_a_sparkline_draws_silence_as_a_gap():
    html = Template("{% sparkline points 100 'CPU' %}").render(
        Context({"points": [1, 2, None, 3, 4]})
    )
    assert html.count("<polyline") == 2


def test_a_sparkline_without_any_point_says_so():
    html = Template("{% sparkline points %}").render(Context({"points": [None, None]}))
    assert "<svg" not in html
    assert "no data" in html


def test_query_changes_one_parameter_and_goes_back_to_the_first_page(rf):
    context = Context({"request": rf.get("/?q=a&page=3&columns=x&columns=y")})
    assert ui.query(context, q="b") == "?q=b&columns=x&columns=y"
    assert ui.query(context, page=4) == "?q=a&page=4&columns=x&columns=y"
    assert ui.query(context, columns=None, q=None) == "?"


@pytest.mark.parametrize("code", [400, 403, 404, 500, 503])
def test_an_error_page_draws_without_any_context(code):
    assert "AdminSet" in render_to_string(f"errors/{code}.html")
