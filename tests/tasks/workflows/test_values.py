"""Values between steps: plain text, each in its place, whatever it looks like."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from adminset.errors import DomainError
from tasks import output
from tasks.models import Run, RunHost
from tasks.workflows.values import (
    check_variables,
    fill,
    fill_arguments,
    references,
    values_of,
)

HOSTILE = [
    "$(touch /tmp/x)",
    "`id`",
    "; rm -rf /",
    "a' b",
    'a" b',
    "{{ lookup('pipe', 'id') }}",
    "${vars.other}",
    "{% raw %}",
    "-e extra",
    "line\nbreak",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_one_word_of_the_arguments(value: str) -> None:
    text = fill_arguments("--to ${steps.a.v} 'x ${steps.a.v}'", {"a": {"v": value}}, {})
    assert shlex.split(text) == ["--to", value, f"x {value}"]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_is_filled_in_once_and_never_read_as_a_template(value: str) -> None:
    found = fill({"k": ["${vars.v}!"]}, {}, {"v": value, "other": "secret"})
    assert found == {"k": [f"{value}!"]}


def test_other_dollars_stay_as_they_are() -> None:
    text = "$HOME ${HOME} ${steps.A.b} ${vars.} ${steps.a} {{ x }}"
    assert fill(text, {}, {}) == text
    assert list(references(text)) == []


def test_a_value_that_nobody_set_is_named() -> None:
    with pytest.raises(DomainError, match=r"\$\{steps.a.v\}"):
        fill("${steps.a.v}", {"a": {}}, {})


def test_arguments_with_an_open_quote_are_refused() -> None:
    with pytest.raises(DomainError, match="split into words"):
        fill_arguments("'${vars.a}", {}, {"a": "1"})


@pytest.mark.parametrize(
    "wrong",
    [["a"], {"A": "x"}, {"a b": "x"}, {"a": ["x"]}, {"a": True}, {"a": "x" * 2001}],
)
def test_variables_are_names_with_short_texts(wrong: Any) -> None:
    with pytest.raises(DomainError):
        check_variables(wrong)


def test_numbers_become_texts() -> None:
    assert check_variables({"a": 3}) == {"a": "3"}


@pytest.mark.django_db
def test_output_sets_values_within_limits(settings: Any, tmp_path: Path) -> None:
    settings.RUN_DIR = tmp_path
    settings.WORKFLOW_VALUE_CHARACTERS = 10
    run = Run.objects.create(title="r", status="failed", host_count=2)
    rows = [
        RunHost.objects.create(run=run, host_name=name, status=status, exit_code=code)
        for name, status, code in (("web1", "ok", 0), ("web2", "failed", 7))
    ]
    lines = [
        "ADMINSET_SET path=/srv/a b",
        "ADMINSET_SET path=/srv/newer",
        "ADMINSET_SET long=" + "x" * 50,
        "ADMINSET_SET bell=a\x07b",
        "ADMINSET_SET Upper=no",
        " ADMINSET_SET indented=no",
        "ADMINSET_SET status=ok",
        "ADMINSET_SET empty=",
    ]
    for row, text in zip(
        rows,
        ("\n".join(lines), "ADMINSET_SET path=other\nADMINSET_SET two=2"),
        strict=True,
    ):
        path = output.path_of(run.pk, row.pk)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert values_of(run) == {
        "path": "/srv/newer",
        "long": "x" * 10,
        "bell": "ab",
        "empty": "",
        "two": "2",
        "status": "failed",
        "run": run.pk,
        "hosts": 2,
        "ok": 1,
        "failed": 1,
        "ok_hosts": ["web1"],
        "failed_hosts": ["web2"],
        "exit_codes": [0, 7],
    }
