"""Makes the secret files that docker-compose.yml names, once: python3 deploy/make_secrets.py."""

import secrets
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adminset import keyring

FOLDER = Path(__file__).resolve().parent / "secrets"


def contents() -> dict[str, str]:
    """Think up every secret; the addresses carry the passwords of their stores."""
    postgres, redis, mongo = (secrets.token_hex(24) for _ in range(3))
    return {
        "secret_key": keyring.new_secret_key(),
        "encryption_keys": keyring.new_encryption_key(),
        "audit_keys": keyring.new_encryption_key(),
        "admin_password": secrets.token_urlsafe(15),
        "postgres_password": postgres,
        "database_url": f"postgres://adminset:{postgres}@postgres:5432/adminset",
        "redis_conf": f"requirepass {redis}\nappendonly yes\nport 6379\ndir /data",
        "redis_url": f"redis://:{redis}@redis:6379/0",
        "mongo_password": mongo,
        "mongo_url": f"mongodb://adminset:{mongo}@mongodb:27017/?authSource=admin",
    }


def make(folder: Path) -> list[str]:
    """Write all files of an empty folder; nothing when one is there already."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        return []
    made = contents()
    for name, text in made.items():
        # Readable for the users inside the containers; the folder keeps everybody else out.
        (folder / name).write_text(text + "\n", encoding="ascii")
        (folder / name).chmod(0o644)
    return sorted(made)


if __name__ == "__main__":
    names = make(FOLDER)
    told = f"Made {len(names)} files" if names else "Kept the files that are there"
    sys.stdout.write(
        f"{told} in {FOLDER}. Keep a copy of encryption_keys, without which no credential can be read, and of audit_keys, without which the audit trail proves nothing.\n"
        f"The first administrator is admin; the password stands in {FOLDER / 'admin_password'}.\n"
    )
