"""What we depend on: each with its reason, pinned with hashes, under a licence that we looked at."""

import re
import tomllib
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(ROOT.glob("requirements*.in"))
# Words that a free licence of the kinds that we may import is told by.
FREE = re.compile(
    r"MIT|BSD|Apache|ISC|MPL|Mozilla|PSF|Python Software|LGPL|Lesser General|Unlicense|CC0|Zlib",
    re.IGNORECASE,
)
# Under the GPL, and why that is no matter: they are programs of their own, started and never imported.
PROGRAMS = {
    "ansible-core": "ansible-runner starts ansible-playbook",
    "python-daemon": "of ansible-runner: Apache for what runs, GPL for its build scripts only",
    "djhtml": "indents templates at development time",
    "secantusdb": "secantusd-py is started by the launcher where no MongoDB is named",
}
IMPORTED = re.compile(
    r"^\s*(?:from|import) (?:ansible|djhtml|secantusdb)\b", re.MULTILINE
)


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _lines(source: Path) -> list[str]:
    lines = source.read_text(encoding="utf-8").splitlines()
    return [
        line
        for line in lines
        if line.strip() and not line.startswith(("#", "-c", "-r"))
    ]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_dependency_says_why_it_is_there(source: Path) -> None:
    silent = [line for line in _lines(source) if not re.search(r"\S\s+# \S", line)]
    assert silent == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_every_dependency_is_pinned_with_hashes(source: Path) -> None:
    pinned = source.with_suffix(".txt").read_text(encoding="utf-8")
    blocks = re.findall(
        r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)((?:.*\\\n)*.*)", pinned, re.MULTILINE
    )
    known = {_name(name) for name, _version, _rest in blocks}
    wanted = {
        _name(re.split(r"[\[<>=~! #]", line, maxsplit=1)[0]) for line in _lines(source)
    }
    assert wanted - known == set()
    without = [name for name, _version, rest in blocks if "--hash=sha256:" not in rest]
    assert without == []


def _licence(found: Distribution) -> str:
    told = found.metadata
    classifiers = [
        text for text in told.get_all("Classifier") or [] if text.startswith("License")
    ]
    said = [told.get("License-Expression") or "", *classifiers, told.get("License")]
    # Where the metadata are silent the text itself has to say it.
    return " ".join(text for text in said if text) or _licence_text(found)


def _licence_text(found: Distribution) -> str:
    files = [file for file in found.files or [] if "LICENSE" in file.name.upper()]
    return " ".join(file.read_text()[:2000] for file in files)


def test_every_licence_is_one_that_we_may_import_or_of_a_program() -> None:
    unknown = {
        _name(found.metadata["Name"])
        for found in distributions()
        if not FREE.search(_licence(found))
    }
    copyleft = {
        _name(found.metadata["Name"])
        for found in distributions()
        if re.search(r"(?<!L)(?<!Lesser )(GPL-|General Public)", _licence(found))
        and not re.search(r"Lesser|LGPL", _licence(found))
    }
    assert (unknown | copyleft) - set(PROGRAMS) == set()


def test_no_module_imports_a_program_under_the_gpl() -> None:
    ours = [
        path
        for room in ("adminset", "accounts", "cmdb", "appconf", "tasks", "monitor")
        for path in (ROOT / room).rglob("*.py")
    ]
    assert [
        str(path) for path in ours if IMPORTED.search(path.read_text(encoding="utf-8"))
    ] == []


def test_bandits_rules_are_on_everywhere_but_for_what_tests_need() -> None:
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in ruff["select"]
    assert [rule for rule in ruff.get("ignore", []) if rule.startswith("S")] == []
    loosened = {
        place: rules
        for place, rules in ruff.get("per-file-ignores", {}).items()
        if any(re.fullmatch(r"S\d*", rule) for rule in rules)
    }
    assert set(loosened) <= {"tests/**"}
