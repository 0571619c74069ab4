"""How the set-up runs its tools: stamps, logs, and failures in one sentence."""

import sys
from pathlib import Path

import pytest

from adminset.launch import shell, stamps
from adminset.launch.errors import OfflineError
from tests.launch.places import make_place


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (
            "error: dns error: failed to lookup address",
            "no connection to the package index",
        ),
        ("npm error code EAI_AGAIN", "no connection to the package index"),
        ("OSError: [Errno 28] No space left on device", "the disk has no room left"),
        ("npm error code ENOSPC", "the disk has no room left"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES\n\n", "DO NOT MATCH THE HASHES"),
    ],
)
def test_a_failure_becomes_one_sentence(output: str, said: str, tmp_path: Path) -> None:
    sentence = shell.sentence("The Python packages", output, tmp_path / "setup.log")
    assert said in sentence
    assert "\n" not in sentence


def test_an_index_that_does_not_answer_is_a_missing_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    nowhere = ["--index-url", "http://127.0.0.1:9/simple", "--retries", "1"]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "adminset-no-such-package",
        *nowhere,
    ]
    with pytest.raises(OfflineError, match="no connection to the package index"):
        shell.run(make_place(tmp_path), command, what="The Python packages")
    assert "127.0.0.1:9" in (tmp_path / "var" / "log" / "setup.log").read_text()


def test_caches_stay_in_the_data_directory_unless_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    monkeypatch.setenv("PIP_CACHE_DIR", "/somewhere")
    chosen = shell.caches(make_place(tmp_path))
    assert chosen["UV_CACHE_DIR"] == str(tmp_path / "var" / "cache" / "uv")
    assert "PIP_CACHE_DIR" not in chosen


def test_a_stamp_changes_with_content_name_and_words(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("same")
    second.write_text("same")
    assert stamps.of_files([first]) != stamps.of_files([second])
    assert stamps.of_files([first]) != stamps.of_files([first], "3.11")
    before = stamps.of_folders([tmp_path])
    (tmp_path / ".stamp").write_text("hidden")
    assert stamps.of_folders([tmp_path]) == before
    second.write_text("other")
    assert stamps.of_folders([tmp_path]) != before


def test_a_step_that_has_not_run_has_an_empty_stamp(tmp_path: Path) -> None:
    assert stamps.read(tmp_path / "none") == ""
    stamps.write(tmp_path / "folder" / "stamp", "abc")
    assert stamps.read(tmp_path / "folder" / "stamp") == "abc"
