"""The ring of keys in a file: running processes learn of a change by themselves; the file is written whole or not at all."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from adminset import crypto, keyring, ring_file
from adminset.errors import DomainError


@pytest.fixture
def ring(tmp_path: Path, settings: Any) -> keyring.KeyRing:
    """The portal's own ring, as this process opened it."""
    settings.ENCRYPTION_KEYS = keyring.open_ring("", "", tmp_path / "secrets" / "ring")
    return settings.ENCRYPTION_KEYS


def in_another_process(path: Path) -> Any:
    """Seal and open with the ring as somebody reads it who starts now."""
    return override_settings(ENCRYPTION_KEYS=keyring.KeyRing(path.read_text(), path))


def added(path: Path) -> str:
    entry = keyring.new_encryption_key()
    ring_file.add_first(path, entry)
    return ring_file.key_id(entry)


def test_what_another_process_seals_with_a_new_key_opens_here(ring: Any) -> None:
    old = list(crypto.ring())
    new = added(ring.path)
    with in_another_process(ring.path):
        sealed = crypto.encrypt("a", "x")
    assert crypto.key_id_of(sealed) == new
    assert list(ring) == old
    assert crypto.decrypt(sealed, "x") == "a"
    assert list(ring) == [new, *old]


def test_a_new_first_key_seals_at_once_without_a_restart(ring: Any) -> None:
    crypto.encrypt("a", "x")
    new = added(ring.path)
    assert crypto.key_id_of(crypto.encrypt("a", "x")) == new


def test_a_key_that_left_the_ring_is_named_in_words(ring: Any) -> None:
    sealed = crypto.encrypt("a", "x")
    old = crypto.key_id_of(sealed)
    added(ring.path)
    ring_file.remove(ring.path, {old})
    crypto.ring()
    with pytest.raises(DomainError, match=f"its key {old} is not on the key ring"):
        crypto.decrypt(sealed, "x")


def test_a_file_of_the_environment_is_read_again_and_never_written(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ring"
    path.write_text(keyring.new_encryption_key())
    given = keyring.open_ring(path.read_text(), str(path), tmp_path / "own")
    new = added(path)
    given.refresh()
    assert next(iter(given)) == new
    assert not given.ours
    assert not (tmp_path / "own").exists()


def test_a_broken_file_leaves_the_keys_as_they_were(
    ring: Any, caplog: pytest.LogCaptureFixture
) -> None:
    held = list(crypto.ring())
    ring.path.write_text("k1:half of a")
    assert list(crypto.ring()) == held
    ring.path.unlink()
    assert list(crypto.ring()) == held
    assert "cannot be read again" in caplog.text
    assert "half of a" not in caplog.text


def test_a_change_that_would_leave_no_ring_is_not_made(ring: Any) -> None:
    before = ring.path.read_text()
    with pytest.raises(ValueError, match="it is empty"):
        ring_file.remove(ring.path, set(ring))
    assert ring.path.read_text() == before
    assert os.listdir(ring.path.parent) == ["ring"]  # noqa: PTH208 - names are compared


def test_the_file_stays_private_and_its_owners(ring: Any) -> None:
    if os.geteuid() == 0:
        os.chown(ring.path, 65534, 65534)
    owner = ring.path.stat().st_uid
    added(ring.path)
    found = ring.path.stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_uid == owner


def test_a_ring_shows_names_and_no_key(ring: Any) -> None:
    key = ring.path.read_text().strip().partition(":")[2]
    assert key not in repr(ring)
    assert str(next(iter(ring.values()))) not in repr(ring)
