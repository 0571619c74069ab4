"""`make test` looks once more at what failed beside others; at nothing that failed by itself, or too often, or with a process that died."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from adminset.launch import suite
from adminset.launch.config import ROOT, Place
from tests.launch.places import make_place

BESIDE = """
import os, pathlib, pytest

@pytest.fixture
def alone(request):
    return not hasattr(request.config, "workerinput")

def test_fine(): pass

@pytest.mark.parametrize("number", range(3))
def test_hurried(alone, number): assert alone, "beside others"

class TestMore:
    def test_torn(self, late): pass

@pytest.fixture
def late(alone):
    yield
    assert alone, "torn down too late"
"""
BROKEN = "\ndef test_broken(): assert False, 'by itself'\n"
# What xdist prints of a process that died, with a test that it counts as failed.
DEAD = """
import pathlib
cache = pathlib.Path(".pytest_cache/v/cache")
cache.mkdir(parents=True)
(cache / "lastfailed").write_text('{"test_these.py::test_dead": true}')
print("[gw0] node down: Not properly terminated", "replacing crashed worker gw0", sep=chr(10), flush=True)
raise SystemExit(1)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A folder of tests with the real virtual environment; one process beside this one is enough."""
    monkeypatch.setattr(suite, "WORKERS", "1")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p xdist -ra\n")
    return make_place(tmp_path)


def look(
    place: Place, capfdbinary: pytest.CaptureFixture[bytes], text: str, *words: str
) -> tuple[int, str]:
    """Run the tests of a text as `make test` does; give the exit code and what is printed."""
    (place.root / "test_these.py").write_text(text)
    code = suite.tested(place, [*words])
    return code, capfdbinary.readouterr().out.decode()


def test_what_failed_beside_others_and_passes_alone_is_named(
    place: Place, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, told = look(place, capfdbinary, BESIDE)
    assert code == 0, told
    first, mark, second = told.partition(
        "4 tests failed beside others and passed alone:\n"
    )
    assert mark, told
    # The torn one passes before it is torn down too late.
    assert re.search(r"^3 failed, 2 passed, 1 error in ", first, re.MULTILINE)
    assert [line.strip() for line in second.splitlines()[:4]] == [
        "test_these.py::TestMore::test_torn",
        *(f"test_these.py::test_hurried[{number}]" for number in range(3)),
    ]
    # Exactly those; and the last line is pytest's.
    assert re.match(r"4 passed in ", told.splitlines()[-1])


def test_what_fails_alone_as_well_fails(
    place: Place, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, told = look(place, capfdbinary, BESIDE + BROKEN)
    assert code == 1
    assert "5 tests that failed" in told
    assert "passed alone" not in told
    assert re.match(r"1 failed, 4 passed in ", told.splitlines()[-1])


def test_a_process_that_died_is_no_matter_of_speed(
    place: Place,
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = [str(place.python), "-c", DEAD]
    monkeypatch.setattr(suite, "_pytest", lambda *_: words)
    code, told = look(place, capfdbinary, BESIDE)
    assert code == 1
    assert "replacing crashed worker" in told
    assert "Once more" not in told


def test_only_a_few_are_looked_at_again(
    tmp_path: Path, place: Place, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    place = make_place(tmp_path, ADMINSET_TEST_SECOND_LOOK="3")
    code, told = look(place, capfdbinary, BESIDE)
    assert (code, "Once more" in told) == (1, False)


@pytest.mark.parametrize(
    ("text", "most"), [("", 12), ("4", 4), ("0", 0), ("x", 12), ("-1", 12)]
)
def test_how_many_are_few_is_a_setting(text: str, most: int) -> None:
    assert suite.most_again({"ADMINSET_TEST_SECOND_LOOK": text}) == most


def test_what_could_not_be_collected_or_was_interrupted_is_not_looked_at_again(
    place: Place, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for text in ("import nothing_of_this_name\n", "def test_x(nobody_knows): pass\n"):
        code, told = look(place, capfdbinary, text)
        assert code != 0
        assert "passed alone" not in told
    code, told = look(place, capfdbinary, BESIDE, "--maxfail=1")
    assert code == 2
    assert "Once more" not in told


def test_what_failed_another_day_is_not_counted(
    place: Place, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    cache = place.root / suite.CACHE
    cache.parent.mkdir(parents=True)
    cache.write_text('{"test_gone.py::test_gone": true}')
    code, told = look(place, capfdbinary, BESIDE)
    assert (code, "4 tests failed beside others" in told) == (0, True)
    code, told = look(place, capfdbinary, "def test_fine(): pass\n")
    assert (code, "Once more" in told) == (0, False)


def test_one_that_is_not_found_again_has_not_passed(
    place: Place, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    # Once it has failed it is not there any more.
    gone = """
if not pathlib.Path("gone").exists():
    def test_gone():
        pathlib.Path("gone").touch()
        assert False
"""
    text = BESIDE + gone
    code, told = look(place, capfdbinary, text)
    assert code != 0, told
    assert "passed alone" not in told


def test_a_long_name_is_cut(
    place: Place, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    text = BESIDE.replace("range(3)", "['x' * 300]")
    _code, told = look(place, capfdbinary, text)
    names = told.partition("passed alone:\n")[2].splitlines()[:2]
    assert [len(name.strip()) for name in names] == [34, suite.LONGEST_NAME]


def test_the_tests_are_compiled_while_the_checks_run_and_the_folder_of_the_run_goes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.root / "test_these.py").write_text("def test_fine(): pass")
    compiled: list[Path] = []

    def checked(_place: Place) -> bool:
        until = time.monotonic() + 60
        while not compiled and time.monotonic() < until:
            compiled.extend(place.root.glob("__pycache__/test_these*pytest*.pyc"))
            time.sleep(0.1)
        return True

    # Both are as they were after the test.
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("TEST_RUN_FOLDER", "of this run")
    monkeypatch.setattr(suite.config, "read", lambda: place)
    monkeypatch.setattr(suite.lint, "run", checked)
    assert suite.main([]) == 0
    assert compiled
    assert not Path(os.environ["TEST_RUN_FOLDER"]).exists()
