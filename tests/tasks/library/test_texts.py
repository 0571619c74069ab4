"""Comparisons, trees, what is shown of a text, names of roles in YAML: each for itself."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from adminset.text_diffs import compare_texts
from adminset.unseen import lines_of
from tasks.checks import check_playbook
from tasks.library import contents
from tasks.library.migrating import first_versions
from tasks.library.names import roles_named_in
from tasks.library.trees import tree_of
from tasks.models import Playbook, Version


def _drawn(older: str | None, newer: str | None) -> list[str]:
    lines = compare_texts("", older, newer).lines
    return [f"{line.sign}{line.text}" for line in lines if line.kind != "fold"]


def test_lines_that_came_and_went_have_their_numbers() -> None:
    found = compare_texts("p", "a\nb\nc\n", "a\nx\nc\nd\n")
    told = [(line.kind, line.left, line.right, line.text) for line in found.lines]
    assert told[:4] == [
        ("same", 1, 1, "a"),
        ("removed", 2, 0, "b"),
        ("added", 0, 2, "x"),
        ("same", 3, 3, "c"),
    ]
    assert (found.added, found.removed, found.state) == (2, 1, "changed")
    pair = found.pairs[1]
    assert pair.left is not None
    assert pair.right is not None
    assert (pair.left.text, pair.right.text) == ("b", "x")


def test_a_line_end_that_went_is_seen_and_new_and_gone_files_are_whole() -> None:
    assert _drawn("a\n", "a") != []
    for end in ("", "\n"):
        assert _drawn(None, f"a\nb{end}") == ["+a", "+b"]
        assert _drawn(f"a\nb{end}", None) == ["-a", "-b"]


def test_unseen_signs_are_shown_in_comparisons_and_contents() -> None:
    assert _drawn("a", "a\u202e\u200b\r") == ["-a", "+a[U+202E][U+200B][U+000D]"]
    assert lines_of("a\tb\n\x00\u2066\n") == ["a\tb", "[U+0000][U+2066]"]


def test_the_worst_texts_are_compared_in_a_moment(settings: Any) -> None:
    half = settings.LIBRARY_DIFF_LINES // 2
    older = "\n".join("ab"[n % 2] for n in range(half))
    newer = "\n".join("ba"[n % 3 == 0] for n in range(half))
    began = time.process_time()
    compare_texts("", older, newer)
    assert time.process_time() - began < 5
    assert compare_texts("", older, newer * 2).why == "long"


def test_a_tree_has_each_folder_once_before_its_files() -> None:
    files = {"tasks/main.yml": "", "README": "x", "files/a/b": "", "files/a/c": ""}
    told = [(node.name, node.depth, node.path) for node in tree_of(files)]
    assert told == [
        ("README", 0, "README"),
        ("files", 0, ""),
        ("a", 1, ""),
        ("b", 2, "files/a/b"),
        ("c", 2, "files/a/c"),
        ("tasks", 0, ""),
        ("main.yml", 1, "tasks/main.yml"),
    ]


@pytest.mark.parametrize(
    "path",
    ["", "/x", "../x", "a/./b", "a//b", "-x", "~x", "a\\b", "a\nb", "a/" * 11 + "b"],
)
def test_paths_in_roles_lead_nowhere_else(path: str) -> None:
    with pytest.raises(ValidationError):
        contents.check_path(path)


def test_the_hash_of_a_role_does_not_hang_on_the_order_of_its_files() -> None:
    one = contents.of_files({"a": "1", "b": "2"})
    assert one == contents.of_files({"b": "2", "a": "1"})
    assert one.sha256 != contents.of_files({"a": "12", "b": ""}).sha256


def _bomb(step: str, first: str) -> str:
    lines, before = [first], "a"
    for name in "bcdefghij":
        lines.append(step.format(name=name, refs=", ".join([f"*{before}"] * 9)))
        before = name
    return "\n".join(lines)


def test_yaml_bombs_are_refused_or_cost_nothing() -> None:
    merges = _bomb("{name}: &{name} {{<<: [{refs}]}}", "a: &a {x: 1, y: 2}")
    lists = _bomb("{name}: &{name} [{refs}]", "a: &a [{role: web}]")
    began = time.process_time()
    with pytest.raises(ValidationError, match="too many keys"):
        check_playbook(merges)
    assert roles_named_in(lists) == set()
    assert roles_named_in("&a [*a]") == set()
    assert time.process_time() - began < 5


@pytest.mark.django_db
def test_playbooks_from_before_get_their_first_version_once() -> None:
    Playbook.objects.create(name="p", content="- hosts: all\n")
    models = {"Playbook": Playbook, "Version": Version}
    apps = SimpleNamespace(get_model=lambda room, name: models[name])
    assert first_versions(apps) == 1
    assert first_versions(apps) == 0
    version = Version.objects.get()
    assert (version.number, version.state) == (1, "approved")
    assert version.sha256 == contents.of_text("- hosts: all\n").sha256


def test_two_texts_that_end_with_a_line_end_have_no_empty_line_behind_it() -> None:
    met = compare_texts("", "a\nb\n", "a\nc\n")
    assert [line.text for line in met.lines] == ["a", "b", "c"]
    cut = compare_texts("", "a\nb\n", "a\nb")
    assert (cut.added, cut.removed) == (0, 1)
