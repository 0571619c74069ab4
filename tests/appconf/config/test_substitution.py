"""Templates of configuration files: what is filled in, what stands as it is, and what is refused with its line."""

from __future__ import annotations

import pytest

from adminset.errors import DomainError
from appconf.config.substitution import names_in, problems, render


def test_names_defaults_and_dollar_signs_are_filled_in() -> None:
    text = "a=${A}\nb=${B:-two}\nc=$$5 and $${A}\n"
    assert render(text, {"A": "1"}) == "a=1\nb=two\nc=$5 and ${A}\n"
    assert names_in(text) == ["A", "B"]


def test_a_given_value_beats_the_default_and_an_empty_one_gives_way() -> None:
    assert render("${A:-x}", {"A": "1"}) == "1"
    assert render("${A:-x}", {"A": ""}) == "x"
    assert render("${A:-}", {}) == ""


def test_dollar_signs_of_other_languages_stand_as_they_are() -> None:
    text = "proxy_set_header Host $host; regex ^a$ price 5$ $(id) `id` $1"
    assert render(text, {}) == text


@pytest.mark.parametrize(
    "value",
    ["${B}", "$$", "$(id)", "`id`", "{{ 7*7 }}", "{% debug %}", "%s", "\\1", "\\g<0>"],
)
def test_what_was_put_in_is_text_and_is_not_looked_at_again(value: str) -> None:
    assert render("x ${A} y", {"A": value, "B": "never"}) == f"x {value} y"


def test_an_unknown_name_is_refused_with_its_line() -> None:
    with pytest.raises(DomainError) as refused:
        render("one\ntwo ${A}\n${NOT_THERE}\n", {"A": "1"})
    assert "Line 3" in refused.value.hint
    assert "NOT_THERE" in refused.value.hint
    assert refused.value.code == "template"


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "${}",
        "${A",
        "${1A}",
        "${A-b}",
        "${A:-b\n}",
        "${A:-${B}}",
        "${ä}",
        "${A.b}",
    ],
)
def test_broken_braces_are_refused_with_their_line(text: str) -> None:
    found = problems(f"first\n{text}", {"A", "B"})
    assert (found[0].line, found[0].name) == (2, "")


def test_all_problems_are_named_at_once() -> None:
    found = problems("${X}\n\n${Y} ${\n", ())
    assert [(each.line, each.name) for each in found] == [(1, "X"), (3, "Y"), (3, "")]


def test_a_large_template_is_filled_in_quickly() -> None:
    text = "${A} $ ${B:-c} $$\n" * 20_000
    assert len(render(text, {"A": "1"})) == 20_000 * len("1 $ c $\n")
