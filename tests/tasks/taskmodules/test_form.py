"""The form of a module: each type of field takes what its definition allows, for pages and programs alike."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from cmdb.models import HostGroup, Idc
from tasks.taskmodules.forms import form_for, form_of_answers, schema_of
from tasks.taskmodules.parsing import parse
from tests.factories import make_group, make_host, make_idc, make_user
from tests.tasks.module_things import make_module

pytestmark = pytest.mark.django_db

EVERYTHING = """\
name: everything
title: Everything
fields:
  - {name: line, max: 10, pattern: "[a-z ]*", pattern_help: Small letters., default: abc}
  - {name: lines, type: textarea, required: false}
  - {name: number, type: number, min: 1, max: 9, default: 5}
  - {name: share, type: number, decimals: 2, required: false}
  - {name: app, type: select, choices: [nginx, {value: sql, label: {en: MySQL, zh: 数据库}}]}
  - {name: file, type: radio, choices: {when: app, is: {nginx: [/a, /b], sql: [/c]}}}
  - {name: parts, type: multi_select, choices: [x, y, z], required: false}
  - {name: sure, type: checkbox}
  - {name: reason, shown_when: {sure: true}}
  - {name: day, type: date, min: 2026-01-01, max: 2026-12-31, required: false}
  - {name: token, type: secret, required: false}
  - {name: peer, type: host, required: false}
  - {name: team, type: group, required: false}
  - {name: place, type: select, choices: {source: idcs}, required: false}
script: 'true'
"""
GOOD: dict[str, Any] = {"app": "nginx", "file": "/a"}


def errors(user: User, **answers: Any) -> dict[str, str]:
    """Give what the form says against some answers."""
    definition, _data = parse(EVERYTHING)
    form = form_of_answers(definition, user, {**GOOD, **answers}, {})
    form.is_valid()
    return {name: " ".join(map(str, said)) for name, said in form.errors.items()}


def test_defaults_fill_what_is_not_answered(admin: User) -> None:
    definition, _data = parse(EVERYTHING)
    form = form_of_answers(definition, admin, GOOD, {"token": "s3cret"})
    assert form.is_valid(), form.errors
    answers = form.answers()
    assert (answers["line"], answers["number"], answers["sure"]) == ("abc", 5, False)
    assert answers["parts"] == []
    assert "token" not in answers
    assert form.secret_answers() == {"token": "s3cret"}
    # What was not asked is not answered.
    assert "reason" not in answers


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"line": ""}, "line"),
        ({"line": "abc\n"}, "line"),
        ({"line": "ABC"}, "line"),
        ({"line": "abc\u2028"}, "line"),
        ({"line": "a" * 11}, "line"),
        ({"line": ["abc"]}, "line"),
        ({"line": {"a": 1}}, "line"),
        ({"line": True}, "line"),
        ({"lines": "a\0b"}, "lines"),
        ({"lines": "\ud800"}, "lines"),
        ({"lines": "x" * 65_537}, "lines"),
        ({"number": 0}, "number"),
        ({"number": 10}, "number"),
        ({"number": "5; id"}, "number"),
        ({"number": True}, "number"),
        ({"number": 5.5}, "number"),
        ({"share": "NaN"}, "share"),
        ({"share": "1.234"}, "share"),
        ({"app": "apache"}, "app"),
        ({"app": ["nginx"]}, "app"),
        ({"file": "/c"}, "file"),
        ({"app": "sql"}, "file"),
        ({"parts": ["x", "q"]}, "parts"),
        ({"parts": "x; id"}, "parts"),
        ({"sure": "perhaps"}, "sure"),
        ({"sure": True}, "reason"),
        ({"day": "2025-12-31"}, "day"),
        ({"day": "2027-01-01"}, "day"),
        ({"day": "01/02/2026"}, "day"),
        ({"peer": "nobody"}, "peer"),
        ({"peer": 999_999}, "peer"),
        ({"peer": "9" * 5000}, "peer"),
        ({"peer": ["a"]}, "peer"),
        ({"team": "-x"}, "team"),
        ({"place": "Mars"}, "place"),
    ],
    ids=str,
)
def test_what_a_field_does_not_allow_is_refused_beside_it(
    admin: User, answers: dict[str, Any], field: str
) -> None:
    assert set(errors(admin, **answers)) == {field}


def test_a_pattern_matches_the_whole_and_says_what_it_wants(admin: User) -> None:
    assert errors(admin, line="ab1") == {"line": "Small letters."}


def test_values_arrive_unchanged(admin: User) -> None:
    definition, _data = parse(EVERYTHING)
    given = {
        "line": " a b ",
        "lines": "x\r\n\t y\u202e ",
        "share": "1.50",
        "sure": "true",
    }
    given |= {"reason": " $(id) ", "day": "2026-05-06", "parts": ["z", "x"]}
    form = form_of_answers(definition, admin, {**GOOD, **given}, {})
    assert form.is_valid(), form.errors
    answers = form.answers()
    assert answers["line"] == " a b "
    # A browser sends two characters for a line's end.
    assert answers["lines"] == "x\n\t y\u202e "
    assert (answers["share"], answers["day"]) == ("1.50", "2026-05-06")
    assert (answers["reason"], answers["parts"]) == (" $(id) ", ["z", "x"])


def test_hosts_and_groups_are_those_that_the_user_may_see(
    group: HostGroup, operator: User
) -> None:
    make_host("web1", groups=[group], address="10.0.0.1")
    make_host("db1", groups=[make_group("db")])
    assert errors(operator, peer="web1", team="web") == {}
    assert set(errors(operator, peer="db1", team="db")) == {"peer", "team"}


def test_two_hosts_of_one_name_are_asked_for_by_number(admin: User) -> None:
    one, _two = make_host("twin"), make_host("twin")
    assert "Several are called so" in errors(admin, peer="twin")["peer"]
    assert errors(admin, peer=one.pk) == {}


def test_a_source_gives_what_the_user_may_see(admin: User) -> None:
    idc: Idc = make_idc()
    assert errors(admin, place=idc.name) == {}
    stranger = make_user("stranger")
    assert set(errors(stranger, place=idc.name)) == {"place"}


def test_a_page_without_a_tick_says_no(admin: User) -> None:
    """A browser leaves out what is not ticked; other fields that are not sent take their default."""
    form = form_for(
        make_module(EVERYTHING), admin, {"answer-app": "sql", "answer-file": "/c"}
    )
    assert form.is_valid(), form.errors
    assert form.answers()["sure"] is False
    assert form.answers()["number"] == 5


def test_a_kept_secret_may_stay_empty(admin: User) -> None:
    text = "name: a\ntitle: t\nfields: [{name: token, type: secret}]\nscript: 'true'\n"
    module = make_module(text)
    assert not form_for(module, admin, {"answer-token": ""}).is_valid()
    form = form_for(module, admin, {"answer-token": ""}, kept={"token"})
    assert form.is_valid()
    assert form.secret_answers() == {}
    assert "s3cret" not in str(form_for(module, admin, None, {"token": "s3cret"}))


def test_answers_of_a_run_fill_the_form_again(admin: User) -> None:
    """A script's answers are texts: a line for each of several values, true or false."""
    given = {"parts": "x\nz", "sure": "true", "line": "abc", "gone": "1"}
    form = form_for(make_module(EVERYTHING), admin, None, given)
    assert form.initial["parts"] == ["x", "z"]
    assert form.initial["sure"] is True
    assert "gone" not in form.initial


def test_a_dangerous_module_wants_a_tick_on_the_page(admin: User) -> None:
    module = make_module("name: a\ntitle: t\ndangerous: true\ncommand: reboot\n")
    assert set(form_for(module, admin, {}).errors) == {"confirmed"}
    assert form_for(module, admin, {"answer-confirmed": "on"}).is_valid()


def test_the_schema_tells_machines_what_the_page_shows(admin: User) -> None:
    definition, _data = parse(EVERYTHING)
    told = {one["name"]: one for one in schema_of(definition, admin)}
    assert told["file"]["depends_on"] == "app"
    assert told["file"]["cases"] == {"nginx": ["/a", "/b"], "sql": ["/c"]}
    assert told["app"]["choices"][1] == {"value": "sql", "label": "MySQL"}
    assert told["reason"]["shown_when"] == {"sure": ["true"]}
    assert told["number"] == {
        "name": "number",
        "type": "number",
        "label": "number",
        "required": True,
        "default": 5,
        "min": 1,
        "max": 9,
    }
