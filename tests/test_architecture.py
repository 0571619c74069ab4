"""The house as house.md draws it: floors, doors, budgets and docstrings, checked by a machine."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "adminset": 0,
    "accounts": 1,
    "cmdb": 2,
    "appconf": 3,
    "tasks": 3,
    "monitor": 4,
    "delivery": 5,
}
ROOMS = [name for name in FLOORS if name != "adminset"]
LINES_OF_A_FILE = 400
STATEMENTS_OF_A_VIEW = 25


def _sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_import_contracts_are_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize(
    "model",
    [m for m in apps.get_models() if m._meta.app_label in FLOORS],
    ids=lambda m: m._meta.label,
)
def test_foreign_keys_point_down_or_sideways_within_a_room(
    model: type[models.Model],
) -> None:
    own = model._meta.app_label
    for field in [*model._meta.fields, *model._meta.many_to_many]:
        target = field.related_model if field.is_relation else None
        if target is None or target._meta.label == settings.AUTH_USER_MODEL:
            continue
        label = target._meta.app_label
        if label in FLOORS:
            assert label == own or FLOORS[label] < FLOORS[own], (
                f"{model._meta.label}.{field.name} points up to {label}"
            )


def _budgeted() -> list[Path]:
    return _sources("adminset", "agent", *ROOMS)


@pytest.mark.parametrize("path", _budgeted(), ids=_name)
def test_every_module_opens_with_one_line_and_keeps_its_budget(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name == "__init__.py":
        assert text == "", f"{_name(path)} must stay empty"
        return
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, f"{_name(path)} does not say what it is for"
    assert text.count("\n") <= LINES_OF_A_FILE, (
        f"{_name(path)} is longer than {LINES_OF_A_FILE} lines"
    )


@pytest.mark.parametrize(
    "path", [p for p in _sources(*ROOMS) if p.name in {"views.py", "api.py"}], ids=_name
)
def test_views_ask_querysets_that_know_the_user(path: Path) -> None:
    assert ".objects" not in path.read_text(encoding="utf-8"), (
        f"{_name(path)} goes round visible_to"
    )


@pytest.mark.parametrize(
    "path", [p for p in _sources(*ROOMS) if p.name == "views.py"], ids=_name
)
def test_views_are_short(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    too_long = {
        f.name: f.end_lineno - f.lineno
        for f in functions
        if f.end_lineno - f.lineno > STATEMENTS_OF_A_VIEW + 10
    }
    assert too_long == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    banned = {"signals.py", "utils.py", "helpers.py", "common.py"}
    assert [_name(path) for path in _budgeted() if path.name in banned] == []


def test_the_agent_runs_without_django() -> None:
    code = "import agent.__main__, sys; assert not [m for m in sys.modules if m.startswith(('django', 'celery', 'pymongo'))]"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_marks_html_as_safe_or_reaches_for_a_shell() -> None:
    banned = re.compile(r"mark_safe|\|safe\b|shell=True|os\.system|eval\(|exec\(")
    found = [
        f"{_name(path)}: {match.group()}"
        for path in _budgeted()
        for match in banned.finditer(path.read_text(encoding="utf-8"))
        if not re.match(r"retrieval\(", match.group())
    ]
    assert found == []


def test_no_migration_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
