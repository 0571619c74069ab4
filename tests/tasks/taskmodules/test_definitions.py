"""Definitions of task modules: what is read, and what is refused with its line and its field."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from tasks.taskmodules.definitions import Script, said
from tasks.taskmodules.parsing import DefinitionError, parse

FIVE_LINES = """\
name: say-hello
title: Say hello
category: Examples
fields: [{name: who, label: Whom to greet, default: world}]
script: echo "Hello $ADMINSET_WHO from $(hostname)"
"""


def told(text: str) -> str:
    """Give all that is said against a text."""
    with pytest.raises(DefinitionError) as caught:
        parse(text, "my.yml")
    return str(caught.value)


def test_the_five_lines_of_the_seeds_are_a_module() -> None:
    assert FIVE_LINES.count("\n") == 5
    definition, data = parse(FIVE_LINES)
    assert isinstance(definition.action, Script)
    assert definition.action.language == "sh"
    assert [(f.name, f.type, f.required) for f in definition.fields] == [
        ("who", "text", True)
    ]
    assert data["title"] == "Say hello"


def test_words_are_said_in_the_readers_language() -> None:
    definition, _data = parse(
        "name: a\ntitle: {en: Lines, zh: 行数}\ncommand: uptime\n"
    )
    with override("zh-hans"):
        assert said(definition.title) == "行数"
    with override("en"):
        assert said(definition.title) == "Lines"
    assert said({"zh": "行数"}) == "行数"


def test_everything_that_is_wrong_is_told_at_once_with_file_line_and_field() -> None:
    words = told(
        "name: Bad Name\n"
        "title: t\n"
        "fields:\n"
        "  - name: lines\n"
        "    type: texx\n"
        "    extra: 1\n"
        "  - name: 2x\n"
        "command: [tail, -n, '{lines}', '{nothing}']\n"
    )
    assert "my.yml: line 1: `name` is a word" in words
    assert "my.yml: line 5, field lines: `type` is one of" in words
    assert "my.yml: line 6, field lines: There is no key extra here." in words
    assert "my.yml: line 7, field 2x: The name of a field" in words
    assert "my.yml: line 8: There is no field nothing." in words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [", "line 1: expected the node"),
        ("- 1", "A module has `name:`"),
        ("", "A module has `name:`"),
        ("name: a\nname: b\ntitle: t\ncommand: x", "line 2: name stands there twice"),
        ("name: &a x\ntitle: *a\ncommand: x", "Anchors and aliases"),
        ("name: !!python/object:os.system x", "Tags such as"),
        ("name: a\ntitle: t\ncommand: x\nscript: y", "exactly one of"),
        ("name: a\ntitle: t", "exactly one of"),
        ("name: a\ntitle: ''\ncommand: x", "`title` says"),
        ("name: a\ntitle: t\ncommand: x\nhosts: all", "no key hosts"),
        ("name: a\ntitle: t\ncommand: x\nbatches: 1 x", "Write batches as"),
        ("name: a\ntitle: t\ncommand: x\ntimeout_seconds: 0", "from 1 to 86400"),
        ("name: a\ntitle: t\ncommand: x\ndangerous: yes", "true or false"),
        ("name: a\ntitle: t\nplaybook: 'hosts: all'", "a playbook is a list of plays"),
        ("name: a\ntitle: t\nscript: {text: x, language: ruby}", "`language` is one"),
        ("name: a\ntitle: {en: t, fr: t}\ncommand: x", "one for each language"),
        ("name: a\ntitle: t\nplaybook: '- hosts: all'\nbecome: true", "itself"),
        ('name: a\ntitle: "\\ud800"\ncommand: x', "line 2"),
        ("x: " + "[" * 500, "nested too deeply"),
        ("x: " + "[" * 50 + "]" * 50, "line 1: It is nested too deeply"),
        ("name: a\ntitle: t\ncommand: x\n# " + "x" * 70_000, "longer than 64 KiB"),
    ],
)
def test_what_is_no_definition_is_refused_in_a_sentence(text: str, words: str) -> None:
    assert words in told(text)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("{name: x, pattern: '('}", "`pattern` is a regular expression"),
        ("{name: x, type: number, min: 5, max: 1}", "`min` is greater"),
        ("{name: x, type: number, min: low}", "is a number"),
        ("{name: x, type: date, min: yesterday}", "such as 2026-01-31"),
        ("{name: x, type: select}", "`choices` is a list"),
        ("{name: x, type: select, choices: {source: secrets}}", "`source` is one of"),
        ("{name: x, type: select, choices: [a, a]}", "a value of its own"),
        (
            "{name: x, type: select, choices: [a], default: b}",
            "cannot have this default",
        ),
        ("{name: x, type: number, default: many}", "cannot have this default"),
        ("{name: x, type: secret, default: abc}", "cannot have this default"),
        ("{name: x, type: checkbox, default: 'on'}", "cannot have this default"),
        ("{name: x, choices: [a]}", "no key choices"),
        ("{name: x, shown_when: {y: a}}", "stands before this field"),
        ("{name: x, type: select, choices: {when: y, is: {a: [b]}}}", "stands before"),
        ("{name: x, required: maybe}", "true or false"),
        ("{name: ansible_connection}", "means something else"),
        ("{name: run}", "means something else"),
        ("{name: run_as}", "means something else"),
        ("{name: confirmed}", "means something else"),
        ("{name: x, label: [a]}", "one for each language"),
    ],
)
def test_what_is_no_field_is_refused_by_its_name(field: str, words: str) -> None:
    said_against = told(f"name: a\ntitle: t\nfields: [{field}]\nscript: 'true'\n")
    assert words in said_against
    assert "line 3" in said_against


def test_names_of_fields_are_single_with_all_that_they_give() -> None:
    pair = "fields: [{name: peer, type: host}, {name: peer_address}]"
    assert "two fields of this name" in told(f"name: a\ntitle: t\n{pair}\nscript: x")


def test_a_choice_that_can_never_come_is_told() -> None:
    fields = (
        "fields:\n"
        "  - {name: app, type: select, choices: [nginx]}\n"
        "  - {name: file, type: select, choices: {when: app, is: {apache: [/a]}}}\n"
        "  - {name: more, shown_when: {app: lighttpd}}\n"
    )
    words = told(f"name: a\ntitle: t\n{fields}script: x\n")
    assert "app can never be apache" in words
    assert "app can never be lighttpd" in words


def test_a_plays_own_words_are_no_variables() -> None:
    text = "name: a\ntitle: t\nfields: [{name: hosts}]\nplaybook: '- hosts: all'\n"
    assert "means something else in a play" in told(text)


def test_a_field_that_a_command_does_not_use_is_told() -> None:
    text = "name: a\ntitle: t\nfields: [{name: x}]\ncommand: uptime\n"
    assert "line 3, field x: The command does not use {x}" in told(text)


def test_a_secret_never_stands_in_a_command() -> None:
    text = (
        "name: a\ntitle: t\nfields: [{name: x, type: secret}]\ncommand: [echo, '{x}']\n"
    )
    assert "list of processes" in told(text)
    arguments = "script: {text: x, arguments: ['{x}']}"
    text = f"name: a\ntitle: t\nfields: [{{name: x, type: secret}}]\n{arguments}\n"
    assert "list of processes" in told(text)


def test_braces_in_a_script_are_told_because_nothing_is_put_there() -> None:
    text = "name: a\ntitle: t\nfields: [{name: x}]\nscript: 'echo {x}'\n"
    assert "A script finds the answer in $ADMINSET_X" in told(text)
    parse("name: a\ntitle: t\nfields: [{name: x}]\nscript: 'echo ${x}'\n")


def test_words_are_what_they_look_like() -> None:
    definition, _data = parse(
        "name: a\ntitle: t\nfields:\n"
        "  - {name: mode, type: select, choices: [0644, yes, off, 1.10, 2026-01-01, true]}\n"
        "script: x\n"
    )
    values = [choice.value for choice in definition.fields[0].choices.fixed]
    assert values == ["0644", "yes", "off", "1.1", "2026-01-01", "true"]
