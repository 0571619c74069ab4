"""What the delivery benches share: a farm of sshd, two releases to send, and the portal's process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.ssh_lane import measured
from tests.farm import SshFarm, throw_away_user

# sshd listens on so many addresses at most.
EACH = 16
MODULE = "tests.bench.delivery_portal"


@contextmanager
def farm_of(count: int, folder: Path) -> Iterator[SshFarm]:
    """Start so many hosts; a user of its own signs in, for a shell's start-up files may cost more than SSH."""
    folder.chmod(0o711)
    extra = "MaxStartups 1000\nLogLevel QUIET"
    servers = -(-count // EACH)
    with (
        throw_away_user() as (user, _password),
        SshFarm(
            servers, folder / "farm", spread=min(EACH, count), extra=extra, user=user
        ) as farm,
    ):
        (folder / "hosts").mkdir()
        (folder / "hosts").chmod(0o777)
        yield farm


def build(folder: Path, size: int, name: str, changed: float = 0.0) -> Path:
    """Make a release: a tenth of it small files, the rest a few large ones; nothing that compresses.

    Args:
        changed: in this share of the small files, and of each large one, the bytes are others than in the release `first`.
    """
    made = folder / name
    (made / "small").mkdir(parents=True)
    small, large = 200, 9
    sizes = {f"small/{n:03}.bin": size // 10 // small for n in range(small)}
    sizes |= {f"large-{n}.bin": size * 9 // 10 // large for n in range(large)}
    for path, length in sizes.items():
        before = folder / "first" / path
        data = bytearray(before.read_bytes() if changed else os.urandom(length))
        if path.startswith("small"):
            wrong = length if int(path[6:9]) < small * changed else 0
        else:
            wrong = int(length * changed)
        data[length // 3 : length // 3 + wrong] = os.urandom(wrong)
        del data[length:]
        (made / path).write_bytes(data)
    return made


def portal(
    act: str, folder: Path, farm: SshFarm, count: int, **told: Any
) -> dict[str, float]:
    """Let the portal do something to the first `count` hosts; gives what it measured."""
    base = {
        "act": act,
        "user": farm.user,
        "key": farm.client_key.read_text(),
        "places": farm.places()[:count],
        "root": str(folder / "hosts"),
        "store": str(folder / "store"),
    }
    return measured(MODULE, folder, base | told)
