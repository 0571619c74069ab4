"""Another key for stored secrets: a killed change of keys goes on, nobody's save is lost, the old key leaves, everything opens."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import SecondFactor
from adminset import crypto, keyring, ring_file, rotation
from adminset.models import AuditEntry
from cmdb.models import Credential
from tests import template
from tests.factories import make_user

ROOT = Path(__file__).resolve().parents[2]
ROWS = 3000
FILL = f"""
import django; django.setup()
from accounts.models import SecondFactor, User
from cmdb.models import Credential
Credential.objects.bulk_create(
    Credential(name=f"c{{n}}", username="root", password=f"pass word {{n}}") for n in range({ROWS})
)
SecondFactor.objects.create(user=User.objects.create_user("u", "x"), secret="one more column")
"""
OPEN = f"""
import django; django.setup()
from accounts.models import SecondFactor
from cmdb.models import Credential
opened = {{c.name: c.password.reveal() for c in Credential.objects.all()}}
assert opened == {{f"c{{n}}": f"pass word {{n}}" for n in range({ROWS})}}
assert SecondFactor.objects.get().secret.reveal() == "one more column"
"""


class Installation:
    """A portal of its own on a SQLite file, spoken to by commands only."""

    def __init__(self, folder: Path) -> None:
        self.ring = folder / "secrets" / "encryption_keys"
        self.database = folder / "db.sqlite3"
        ours = ("ADMINSET_", "DATABASE_", "PYTEST_", "DJANGO_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        self.environment = kept | {
            "ADMINSET_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "DJANGO_SETTINGS_MODULE": "adminset.settings",
        }

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> str:
        process = self.start(*words)
        told = process.communicate(timeout=90)[0]
        assert process.returncode == 0, told
        return told

    def rotate(self, *words: str) -> str:
        return self.run("manage.py", "rotate_keys", *words)

    def keys_on_the_ring(self) -> list[str]:
        return [ring_file.key_id(line) for line in self.ring.read_text().split()]

    def keys_in_use(self) -> Counter[str]:
        with sqlite3.connect(self.database) as db:
            rows = db.execute(
                "SELECT password FROM cmdb_credential UNION ALL SELECT secret FROM accounts_secondfactor"
            )
            return Counter(crypto.key_id_of(text) for (text,) in rows)


@pytest.mark.timeout(240)
def test_a_change_of_keys_that_was_killed_goes_on_and_the_old_key_leaves(
    tmp_path: Path,
) -> None:
    portal = Installation(tmp_path)
    template.copy_to(portal.database)
    portal.run("-c", FILL)
    (old,) = portal.keys_on_the_ring()
    killed = portal.start("manage.py", "rotate_keys", "--new-key", "--batch", "20")
    assert killed.stdout is not None
    while "cmdb.credential.password" not in (line := killed.stdout.readline()):
        assert line, "it ended before it began"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()

    new, kept = portal.keys_on_the_ring()
    assert kept == old
    half_way = portal.keys_in_use()
    assert set(half_way) == {old, new}
    portal.run("-c", OPEN)

    told = portal.rotate("--drop-old")
    assert f"{half_way[old]} stored secrets are now sealed with {new}." in told
    assert portal.keys_in_use() == {new: ROWS + 1}
    assert portal.keys_on_the_ring() == [new]
    assert stat.S_IMODE(portal.ring.stat().st_mode) == 0o600
    assert [file.name for file in portal.ring.parent.glob("encryption_keys*")] == [
        "encryption_keys"
    ]
    portal.run("-c", OPEN)
    assert f"{ROWS} under {new}" in portal.run("manage.py", "check_secrets")
    with sqlite3.connect(portal.database) as db:
        trail = db.execute("SELECT verb, actor_name, changes FROM adminset_auditentry")
        lines = [row for row in trail if row[0].startswith("keys.")]
    assert [line[0] for line in lines] == ["keys.add", "keys.rotate", "keys.drop"]
    assert {line[1] for line in lines} == {"command line"}
    key = portal.ring.read_text().strip().partition(":")[2]
    assert key not in str(lines) + told


@pytest.fixture
def ring(tmp_path: Path, settings: Any) -> keyring.KeyRing:
    """A ring of the portal's own with two keys, k1 first."""
    path = tmp_path / "secrets" / "encryption_keys"
    opened = keyring.open_ring("", "", path)
    one, two = (keyring.new_encryption_key().partition(":")[2] for _ in range(2))
    path.write_text(f"k1:{one}\nk2:{two}\n")
    settings.ENCRYPTION_KEYS = opened
    return opened


def rotate(*words: str) -> str:
    out = StringIO()
    call_command("rotate_keys", *words, stdout=out, stderr=out)
    return out.getvalue()


def used() -> set[str]:
    return rotation.used_keys()


@pytest.mark.django_db
def test_a_dry_run_says_what_would_be_done_and_does_nothing(ring: Any) -> None:
    Credential.objects.create(name="c", username="root", password="pass word")
    before = ring.path.read_text()
    told = rotate("--to", "k2", "--dry-run", "--drop-old")
    assert "cmdb.credential.password: 1 under k1; 1 would be sealed with k2" in told
    assert "would leave the ring, if all can be opened: k1" in told
    assert used() == {"k1"}
    assert ring.path.read_text() == before
    assert not AuditEntry.objects.filter(verb__startswith="keys.").exists()


@pytest.mark.django_db
def test_a_rollback_goes_to_a_key_that_is_on_the_ring(ring: Any) -> None:
    row = Credential.objects.create(name="c", username="root", password="pass word")
    rotate("--to", "k2")
    assert used() == {"k2"}
    assert list(crypto.ring()) == ["k2", "k1"]
    rotate("--to", "k1")
    row.refresh_from_db()
    assert used() == {"k1"}
    assert row.password is not None
    assert row.password.reveal() == "pass word"
    with pytest.raises(CommandError, match="There is no key k9 on the ring"):
        rotate("--to", "k9")


@pytest.mark.django_db
def test_somebody_elses_save_wins(ring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    row = Credential.objects.create(name="c", username="root", password="before")
    ring_file.move_first(ring.path, "k2")
    reseal: Callable[..., str] = rotation.reseal

    def saved_meanwhile(*words: str) -> str:
        Credential.objects.filter(pk=row.pk).update(password="what a person saved")
        return reseal(*words)

    monkeypatch.setattr(rotation, "reseal", saved_meanwhile)
    assert "1 were saved by somebody meanwhile" in rotate()
    row.refresh_from_db()
    assert row.password is not None
    assert row.password.reveal() == "what a person saved"


@pytest.mark.django_db
def test_a_secret_that_does_not_open_stays_and_keeps_its_key(ring: Any) -> None:
    good = Credential.objects.create(name="a", username="root", password="pass word")
    bad = Credential.objects.create(name="b", username="root", password="pass word")
    sealed = crypto.encrypt("moved", "cmdb.host.address")
    text = crypto.Secret(sealed, "")
    Credential.objects.filter(pk=bad.pk).update(password=text)
    with pytest.raises(CommandError, match="1 stored secrets cannot be opened"):
        rotate("--new-key", "--drop-old")
    assert list(crypto.ring())[1:] == ["k1"]
    good.refresh_from_db()
    assert good.password is not None
    assert good.password.reveal() == "pass word"
    assert Credential.objects.get(pk=bad.pk).password.sealed == sealed  # type: ignore[union-attr]


@pytest.mark.django_db
def test_a_key_under_which_somebody_saves_at_that_moment_stays(
    ring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "unused_keys", lambda: ["k2"])
    sealed = crypto.encrypt("late", "cmdb.credential.password", "k2")
    secret = crypto.Secret(sealed, "")
    Credential.objects.create(name="late", username="root", password=secret)
    monkeypatch.setattr(rotation, "rotate", lambda *a, **k: rotation.Outcome())
    with pytest.raises(CommandError, match="was saved under k2 just now"):
        rotate("--drop-old")
    assert set(crypto.ring()) == {"k1", "k2"}


@pytest.mark.django_db
def test_a_ring_of_the_environment_is_not_written(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = keyring.KeyRing(keyring.new_encryption_key())
    key = next(iter(settings.ENCRYPTION_KEYS))
    SecondFactor.objects.create(user=make_user(), secret="one")
    with pytest.raises(CommandError, match=r"with manage.py new_key and"):
        rotate("--new-key")
    assert used() == {key}
    out = StringIO()
    call_command("new_key", stdout=out)
    assert len(keyring.parse_ring(out.getvalue())) == 1
