"""Looks whether stored secrets can be opened and whether what guards them is closed to others."""

import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings

from adminset import crypto
from adminset.errors import DomainError
from adminset.rotation import Column, Trouble, columns

SHORTEST_SECRET_KEY = 32
# What orchestrators mount there is closed by the container, not by modes.
MOUNTED_SECRETS = Path("/run/secrets")
OTHERS = stat.S_IRWXG | stat.S_IRWXO
SECRET_SETTING = re.compile(
    r"^\s*(?:export\s+)?(\w*(?:SECRET|KEY|PASSWORD|TOKEN)\w*|\w+_URL)\s*=\s*\S",
    re.MULTILINE,
)


def open_all(column: Column) -> tuple[Counter[str], list[Trouble]]:
    """Open every sealed text of a column: how many there are under which key, and those that do not open."""
    counts: Counter[str] = Counter()
    troubles = []
    for pk, secret in column.sealed():
        counts[crypto.key_id_of(secret.sealed)] += 1
        try:
            crypto.decrypt(secret.sealed, column.label)
        except DomainError as error:
            troubles.append(Trouble(column.label, pk, error.message))
    return counts, troubles


def every_column() -> Iterator[tuple[Column, Counter[str], list[Trouble]]]:
    """Open everything, one column after the other."""
    return ((column, *open_all(column)) for column in columns())


def warnings() -> list[str]:
    """Say what leaves secrets less well guarded than they could be."""
    return [*_settings(), *_open_files(_private_files())]


def _settings() -> Iterator[str]:
    if settings.DEBUG:
        yield "DEBUG is on: error pages show settings and variables. Set DEBUG=no."
    if len(settings.SECRET_KEY) < SHORTEST_SECRET_KEY:
        yield f"SECRET_KEY is shorter than {SHORTEST_SECRET_KEY} characters. Leave it out to have a good one made."


def _private_files() -> Iterator[Path]:
    """Give the files and folders that only the portal's user has to read."""
    folder = Path(settings.DATA_DIR) / "secrets"
    if folder.is_dir():
        yield folder
        yield from sorted(folder.iterdir())
    yield Path(settings.DATA_DIR) / "agent" / "credential"
    yield from (
        Path(value)
        for name, value in sorted(os.environ.items())
        if name.endswith("_FILE") and SECRET_SETTING.match(f"{name[:-5]}=x")
    )
    dotenv = Path(settings.BASE_DIR) / ".env"
    if dotenv.is_file() and SECRET_SETTING.search(
        dotenv.read_text(encoding="utf-8", errors="replace")
    ):
        yield dotenv


def _open_files(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        if not path.exists() or MOUNTED_SECRETS in path.parents:
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & OTHERS:
            closed = "700" if path.is_dir() else "600"
            yield f"{path} is open to others (mode {mode:o}): chmod {closed} {path}"
