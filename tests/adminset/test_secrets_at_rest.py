"""Keys and sealed secrets: made once, private, bound to their place, shown to nobody."""

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from adminset import crypto, keyring
from adminset.audit import snapshot
from adminset.crypto import Secret
from adminset.errors import DomainError
from cmdb.models import Credential

ROOT = Path(__file__).resolve().parents[2]
MARKER = "hunter2-marker"


def test_a_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "key"
    first = keyring.read_or_make(path, "first")
    assert keyring.read_or_make(path, "second") == first == "first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["key"]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    code = "import sys, pathlib; from adminset import keyring; print(keyring.read_or_make(pathlib.Path(sys.argv[1]), keyring.new_secret_key()))"
    command = [sys.executable, "-c", code, str(tmp_path / "key")]
    racers = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    assert len({racer.communicate()[0] for racer in racers}) == 1


@pytest.mark.parametrize(
    "ring", ["", "k1", "k1:short", "k1:not base64!", ":" + "A" * 44]
)
def test_a_bad_key_ring_is_refused_without_showing_a_key(ring: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is looked at below
        keyring.parse_ring(ring)
    assert "A" * 44 not in str(caught.value)


def test_what_is_sealed_opens_again_in_its_place_only() -> None:
    sealed = crypto.encrypt(MARKER, "cmdb.credential.password")
    assert MARKER not in sealed
    assert crypto.decrypt(sealed, "cmdb.credential.password") == MARKER
    with pytest.raises(DomainError, match="altered or belongs elsewhere"):
        crypto.decrypt(sealed, "cmdb.credential.private_key")


def test_the_same_secret_never_looks_the_same_twice() -> None:
    assert crypto.encrypt("a", "x") != crypto.encrypt("a", "x")


def test_an_old_key_still_opens_and_the_first_one_seals(settings: Any) -> None:
    old = dict(settings.ENCRYPTION_KEYS)
    sealed = crypto.encrypt(MARKER, "x")
    settings.ENCRYPTION_KEYS = keyring.parse_ring(keyring.new_encryption_key()) | old
    assert crypto.decrypt(sealed, "x") == MARKER
    assert crypto.encrypt("b", "x").split(":")[1] == next(
        iter(settings.ENCRYPTION_KEYS)
    )


def test_a_key_that_is_gone_is_named_as_the_cure(settings: Any) -> None:
    sealed = crypto.encrypt(MARKER, "x")
    settings.ENCRYPTION_KEYS = keyring.parse_ring(keyring.new_encryption_key())
    with pytest.raises(DomainError) as caught:
        crypto.decrypt(sealed, "x")
    assert "ADMINSET_ENCRYPTION_KEYS" in caught.value.hint


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(crypto.encrypt(MARKER, "x"), "x")
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        json.dumps(secret, default=str),
    ]
    assert not any(MARKER in text for text in shown)
    assert secret.reveal() == MARKER


@pytest.mark.django_db
def test_the_database_holds_no_clear_secret_and_the_trail_a_mask() -> None:
    made = Credential.objects.create(
        name="c", username="root", password=MARKER, private_key=MARKER
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT password, private_key, passphrase FROM cmdb_credential")
        row = cursor.fetchone()
    assert MARKER not in str(row)
    assert row[2] is None
    kept = Credential.objects.get(pk=made.pk)
    assert kept.password is not None
    assert kept.password.reveal() == MARKER
    assert MARKER not in json.dumps(snapshot(kept), default=str)


def test_token_digests_need_the_pepper(settings: Any) -> None:
    stored = crypto.digest("token")
    assert crypto.digest_matches("token", stored)
    assert not crypto.digest_matches("other", stored)
    settings.SECRET_KEY = "another"
    assert not crypto.digest_matches("token", stored)
