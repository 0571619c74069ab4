"""The store: the same files are the same artefact, nothing that cannot be delivered gets in, nothing that is wanted gets out."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from adminset.errors import DomainError
from delivery.artefacts import clearing, store
from delivery.artefacts.paths import check_link, check_path
from delivery.artefacts.previewing import preview
from delivery.artefacts.rules import Rules, check_rules
from delivery.artefacts.store import Stored

Put = Callable[..., Stored]


def age_all(days: float = 2) -> None:
    old = time.time() - days * 86_400
    for path in store.root().rglob("*"):
        os.utime(path, (old, old))


def test_the_same_files_are_the_same_artefact_whenever_and_wherever(put: Put) -> None:
    files = {"b": "two", "a/ü x": "one", "l": "->a/ü x", "empty": None}
    first = put(files, executable=("b",))
    age_all()
    again = put(dict(reversed(files.items())), executable=("b",))
    assert again == first
    assert (first.size, first.count) == (6, 4)
    assert put(files).sha256 != first.sha256
    manifest = store.manifest(first.sha256)
    assert [e.path for e in manifest.entries] == ["a/ü x", "b", "empty", "l"]
    assert manifest.files["b"].executable
    assert manifest.links["l"].target == "a/ü x"
    assert manifest.folders == ("empty",)
    assert store.verify(first.sha256) == []


def test_version_control_and_what_is_excluded_stays_out(folder: Path) -> None:
    for name in (
        ".git/config",
        "a/.svn/x",
        "x.pyc",
        "keep.pyc",
        "node_modules/y",
        "src/node_modules/z",
    ):
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("x")
    rules = Rules(exclude=("*.pyc", "!keep.pyc", "/node_modules/"))
    kept = store.manifest(store.add(folder, rules).sha256)
    assert set(kept.files) == {"keep.pyc", "src/node_modules/z"}
    only = Rules(include=("src/", "*.pyc"), exclude=("keep*",))
    kept = store.manifest(store.add(folder, only).sha256)
    assert set(kept.files) == {"x.pyc", "src/node_modules/z"}


def test_a_preview_counts_what_rules_take_and_what_not(folder: Path) -> None:
    for name, size in {"big/data/a": 1000, "big/b": 10, "top": 5, "x.log": 7}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * size)
    told = preview(folder, Rules(exclude=("*.log",)))
    assert (told.files, told.size, told.left_files, told.left_size) == (3, 1015, 1, 7)
    assert told.folders == [("big/data", 1, 1000), ("big", 1, 10), (".", 1, 5)]
    assert not (store.root() / "blobs").exists()


@pytest.mark.parametrize("rule", ["a" * 600, "a\nb", "a\0b"])
def test_rules_that_cannot_be_read_are_refused(rule: str) -> None:
    with pytest.raises(ValidationError, match="rule"):
        check_rules([rule])


def test_no_rule_takes_forever() -> None:
    rules = Rules(exclude=("*a" * 200 + "b",))
    before = time.process_time()
    assert rules.takes("a" * 1000)
    assert time.process_time() - before < 5


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "../x", "a/../../x", "up/../../x", "round", "", "x" * 2000, "a\nb"],
)
def test_links_that_lead_out_are_refused(target: str) -> None:
    links = {"l": target, "up": "a/..", "round": "l" if target == "round" else "a"}
    with pytest.raises(DomainError):
        check_link("l", target, links)


@pytest.mark.parametrize("target", ["a", "./a/b", "a/../b", "d/e/../../l2", "missing"])
def test_links_within_are_fine(target: str) -> None:
    assert check_link("l", target, {"l": target, "l2": "a"}) is None


@pytest.mark.parametrize(
    "path",
    [
        "/a",
        "a//b",
        "../a",
        "a/..",
        "./a",
        "",
        "a\nb",
        "a\tb",
        "a\\b",
        "a\udcff",
        "x" * 256,
        "y/" * 600 + "y",
    ],
)
def test_paths_that_no_host_should_see_are_refused(path: str) -> None:
    with pytest.raises(DomainError):
        check_path(path)


def test_what_is_no_file_is_refused_and_a_link_is_never_followed(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (folder / "inside").symlink_to("../secret")
    with pytest.raises(DomainError, match="leads out"):
        store.add(folder, Rules())
    (folder / "inside").unlink()
    (folder / "folder").symlink_to(tmp_path)
    with pytest.raises(DomainError, match="leads out"):
        store.add(folder, Rules())
    (folder / "folder").unlink()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder / "s"))
        with pytest.raises(DomainError, match="neither"):
            store.add(folder, Rules())
    (folder / "s").unlink()
    with pytest.raises(DomainError, match="nothing to deliver"):
        store.add(folder, Rules())
    blobs = [
        p.read_text()
        for p in store.root().rglob("*")
        if p.is_file() and p.name != "lock"
    ]
    assert "secret" not in blobs


def test_limits_of_number_and_size_hold(put: Put, settings: Any) -> None:
    settings.ARTEFACT_BYTES = 10
    with pytest.raises(DomainError, match="larger"):
        put({"a": "x" * 11})
    settings.ARTEFACT_BYTES, settings.ARTEFACT_FILES = 100, 2
    with pytest.raises(DomainError, match="more than 2 files"):
        put({"a": "1", "b": "2", "c": "3"})


def test_damage_is_found_and_told(put: Put) -> None:
    kept = put({"a": "one", "b": "two"})
    entry = store.manifest(kept.sha256).files["a"]
    store.blob_path(entry.sha256).write_text("eno")
    assert store.verify(kept.sha256) == ["a"]
    place = next((store.root() / "manifests").glob("??/*"))
    place.write_bytes(place.read_bytes() + b"{}\n")
    with pytest.raises(DomainError, match="damaged"):
        store.manifest(kept.sha256)


def test_only_what_nobody_wants_is_cleared_and_shared_files_stay(put: Put) -> None:
    old = put({"shared": "one", "only-old": "two"})
    new = put({"shared": "one", "only-new": "three"})
    assert clearing.clean([new.sha256]) == (0, 0), "it is of the last day"
    age_all()
    assert clearing.clean([new.sha256]) == (1, 3)
    assert (store.has(old.sha256), store.has(new.sha256)) == (False, True)
    assert store.verify(new.sha256) == []
    with pytest.raises(DomainError, match="not here any more"):
        store.manifest(old.sha256)


def test_what_is_added_while_somebody_clears_is_whole(put: Put) -> None:
    sure = put({"a": "one"})
    age_all()
    found: list[Stored] = []
    threads = [
        threading.Thread(
            target=lambda n=n: found.append(put({"a": "one", "n": str(n)}))
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for _round in range(5):
        clearing.clean([sure.sha256])
    for thread in threads:
        thread.join()
    clearing.clean([sure.sha256])
    assert len(found) == 4
    assert [store.verify(kept.sha256) for kept in [sure, *found]] == [[]] * 5
