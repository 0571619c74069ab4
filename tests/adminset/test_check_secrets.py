"""`manage.py check_secrets`: what does not open, and what is open to others, is named; no secret is."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from adminset import crypto, keyring
from cmdb.models import Credential

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _a_place_of_our_own(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = settings.BASE_DIR = tmp_path
    settings.SECRET_KEY = keyring.new_secret_key()
    keyring.read_or_make(tmp_path / "secrets" / "encryption_keys", "a key")


def check() -> tuple[int, str]:
    """Give the exit code and everything it said."""
    out = StringIO()
    try:
        call_command("check_secrets", stdout=out, stderr=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_a_sound_portal_is_called_sound() -> None:
    Credential.objects.create(name="c", username="root", password="marker-5ecret")
    key = next(iter(crypto.ring()))
    code, told = check()
    assert code == 0
    assert f"cmdb.credential.password: 1 under {key}" in told
    assert "accounts.secondfactor.secret: nothing" in told
    assert "marker-5ecret" not in told


def test_a_secret_under_a_lost_key_and_a_moved_one_are_named(settings: Any) -> None:
    lost = Credential.objects.create(name="lost", username="root", password="a")
    old = next(iter(crypto.ring()))
    settings.ENCRYPTION_KEYS = keyring.KeyRing(keyring.new_encryption_key())
    moved = Credential.objects.create(name="moved", username="root")
    text = crypto.Secret(crypto.encrypt("b", "elsewhere"), "")
    Credential.objects.filter(pk=moved.pk).update(private_key=text)
    code, told = check()
    assert code == 1
    assert f"1 under {old} (not on the ring)" in told
    assert f"cmdb.credential.password of row {lost.pk}: " in told
    assert f"its key {old} is not on the key ring" in told
    assert f"cmdb.credential.private_key of row {moved.pk}: " in told
    assert "it was altered or belongs elsewhere" in told


def test_files_that_others_can_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets" / "encryption_keys").chmod(0o644)
    (tmp_path / ".env").write_text("PORT=1\nDATABASE_URL=postgres://u:p@h/x\n")
    (tmp_path / ".env").chmod(0o640)
    given = tmp_path / "given"
    given.write_text("x")
    given.chmod(0o604)
    monkeypatch.setenv("SECRET_KEY_FILE", str(given))
    code, told = check()
    assert code == 1
    for path in (tmp_path / "secrets" / "encryption_keys", tmp_path / ".env", given):
        assert f"chmod 600 {path}" in told
    assert "postgres" not in told


def test_an_env_file_without_secrets_may_be_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1\n#SECRET_KEY=\nLOG_LEVEL=INFO\n")
    (tmp_path / ".env").chmod(0o644)
    assert check()[0] == 0


def test_debug_and_a_short_secret_key_are_warned_of(settings: Any) -> None:
    settings.DEBUG, settings.SECRET_KEY = True, "a short one"
    code, told = check()
    assert code == 1
    assert "DEBUG is on" in told
    assert "SECRET_KEY is shorter than 32" in told
    assert "a short one" not in told
