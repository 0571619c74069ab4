"""The readers of settings: a bad value says which variable, what it holds and what is wanted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from adminset import env

BAD: list[tuple[Callable[[], Any], str, str]] = [
    (
        lambda: env.integer("X_TEST", 5),
        "many",
        "X_TEST is 'many'; wanted: a whole number from 0",
    ),
    (
        lambda: env.integer("X_TEST", 5, least=1, most=9),
        "10",
        "X_TEST is '10'; wanted: a whole number from 1 to 9",
    ),
    (
        lambda: env.boolean("X_TEST", True),
        "maybe",
        "X_TEST is 'maybe'; wanted: one of 1, true, yes",
    ),
    (
        lambda: env.choice("X_TEST", "en", ("en", "zh-hans")),
        "fr",
        "X_TEST is 'fr'; wanted: one of en, zh-hans",
    ),
]


@pytest.mark.parametrize(("read", "value", "sentence"), BAD)
def test_a_bad_value_is_named_with_what_is_wanted(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], Any], value: str, sentence: str
) -> None:
    monkeypatch.setenv("X_TEST", value)
    with pytest.raises(ImproperlyConfigured) as caught:
        read()
    assert sentence in str(caught.value)


def test_what_is_not_set_has_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("X_TEST", raising=False)
    assert env.text("X_TEST", "a") == "a"
    assert env.integer("X_TEST", 7) == 7
    assert env.boolean("X_TEST", True) is True
    assert env.words("X_TEST", ["a"]) == ["a"]


def test_good_values_are_read_in_their_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X_TEST", "a, b,,c ")
    assert env.words("X_TEST", []) == ["a", "b", "c"]
    monkeypatch.setenv("X_TEST", "Off")
    assert env.boolean("X_TEST", True) is False


def test_a_secret_can_lie_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("X_TEST_FILE", str(tmp_path / "secret"))
    assert env.text("X_TEST") == "from a file"


def test_a_secret_file_that_is_missing_is_named_and_its_cure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("X_TEST_FILE", str(tmp_path / "missing"))
    with pytest.raises(
        ImproperlyConfigured, match=r"X_TEST_FILE names .*missing.*cannot be read"
    ):
        env.text("X_TEST")


def test_a_value_given_twice_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("X_TEST", "a")
    monkeypatch.setenv("X_TEST_FILE", str(tmp_path / "b"))
    with pytest.raises(ImproperlyConfigured, match="both set"):
        env.text("X_TEST")
