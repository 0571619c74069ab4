"""A disk that takes no more: said in a sentence, nothing half is kept, and what was there stays."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adminset.errors import DomainError
from delivery.artefacts import compressing, store
from delivery.artefacts.packs import pack_for
from delivery.artefacts.store import Stored

Put = Callable[..., Stored]


def full(*_args: Any, **_more: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_an_artefact_that_has_no_room_is_not_there_at_all(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure = put({"a": "one"})
    before = sorted(p for p in store.root().rglob("*") if p.is_file())
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(DomainError, match="No space left") as told:
            put({"b": "two"})
    assert told.value.code == "store_failed"
    assert sorted(p for p in store.root().rglob("*") if p.is_file()) == before
    assert store.verify(sure.sha256) == []
    assert store.verify(put({"b": "two"}).sha256) == []


def test_a_pack_that_has_no_room_is_made_when_there_is_some(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = put({"a": "one"})
    with monkeypatch.context() as patch:
        patch.setattr(compressing.Counted, "write", full)
        with pytest.raises(DomainError, match="No space left"):
            pack_for(kept.sha256)
    assert [p.name for p in (store.root() / "packs").iterdir()] == []
    assert store.verify(kept.sha256) == []
    assert pack_for(kept.sha256).path.is_file()
