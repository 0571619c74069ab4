"""The store and odd names, damaged manifests, damaged packs: nothing of it stands in the way for ever."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adminset.errors import DomainError
from delivery.artefacts import clearing, manifests, packs, store
from delivery.artefacts.manifests import Entry
from delivery.artefacts.packs import pack_for
from delivery.artefacts.rules import Rules
from delivery.artefacts.store import Stored

Put = Callable[..., Stored]
# Ends of lines and paragraphs, the turn of the direction of writing.
UNSEEN = ["a\u2028b", "a\u2029b", "a\u202eb", "\ufeffa"]


@pytest.mark.parametrize("name", UNSEEN)
def test_names_with_signs_that_nobody_sees_are_not_stored(put: Put, name: str) -> None:
    with pytest.raises(DomainError, match="cannot be delivered"):
        put({name: "x"})
    assert not list(store.root().glob("manifests/*/*"))


def test_names_of_all_languages_come_back(put: Put) -> None:
    names = {"ü/名.txt": "1", "می\u200cخواهم": "2", "👩\u200d💻.md": "3"}
    kept = put(names)
    assert set(store.manifest(kept.sha256).files) == set(names)


def test_a_manifest_with_ends_of_lines_in_a_name_can_be_read() -> None:
    entries = [Entry(name, "a" * 64, 1) for name in [*UNSEEN, "a\x85b"]]
    sha256, data = manifests.written(entries)
    assert data.isascii()
    assert {entry.path for entry in manifests.read(sha256, data).entries} == {
        entry.path for entry in entries
    }


def test_a_damaged_manifest_stops_no_cleaning_and_keeps_its_files(
    put: Put, tmp_path: Path
) -> None:
    damaged, gone, kept = put({"a": "1", "b": "2"}), put({"c": "3"}), put({"d": "4"})
    blobs = {e.sha256 for e in store.manifest(damaged.sha256).files.values()}
    place = store.root() / "manifests" / damaged.sha256[:2] / damaged.sha256
    place.write_bytes(place.read_bytes().replace(b'"path"', b'"pa\xffh"'))
    old = time.time() - 2 * 86_400
    for path in store.root().rglob("*"):
        os.utime(path, (old, old))
    assert clearing.clean({damaged.sha256, kept.sha256}) == (1, 1)
    assert all(store.blob_path(sha256).is_file() for sha256 in blobs)
    assert not store.has(gone.sha256)
    with pytest.raises(DomainError, match="damaged"):
        store.manifest(damaged.sha256)
    # Built again, it is what it was.
    assert put({"a": "1", "b": "2"}) == damaged
    assert len(store.manifest(damaged.sha256).files) == 2


def damage(path: Path) -> None:
    """Change bytes, neither size nor time: what a bad sector or a power cut leaves."""
    about = path.stat()
    path.write_bytes(b"\0" * about.st_size)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def test_a_damaged_pack_is_made_anew(
    put: Put, monkeypatch: pytest.MonkeyPatch, receive: Callable[..., Path]
) -> None:
    pack = pack_for(put({"a": "one", "b": "two"}).sha256)
    damage(pack.path)
    # Another worker, or this one a while later.
    monkeypatch.setattr(packs, "_hashed", {})
    again = pack_for(pack.artefact)
    assert (again.sha256, again.path) == (pack.sha256, pack.path)
    assert (receive(again) / "a").read_text() == "one"


def test_a_pack_that_a_host_could_not_use_is_looked_at(
    put: Put, receive: Callable[..., Path]
) -> None:
    pack = pack_for(put({"a": "one"}).sha256)
    assert pack_for(pack.artefact) == pack
    packs.doubt(pack.artefact)
    assert pack.path.is_file()
    damage(pack.path)
    packs.doubt(pack.artefact)
    assert not pack.path.exists()
    assert (receive(pack_for(pack.artefact)) / "a").read_text() == "one"


def test_folders_of_an_artefact_count_like_files(folder: Path, settings: Any) -> None:
    settings.ARTEFACT_FILES = 20
    for number in range(6):
        (folder / str(number) / "a" / "b").mkdir(parents=True)
        (folder / str(number) / "a" / "b" / "x").touch()
    with pytest.raises(DomainError, match="more than 20 files"):
        store.add(folder, Rules())
    assert store.add(folder, Rules((), ("[3-9]/",))).count == 3
