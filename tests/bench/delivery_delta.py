"""What a second release costs of which 1 % changed, in bytes that go to a host: some small files, each small file, within a large one.

The store and the packs are the portal's own; no host takes part. ADMINSET_BENCH_DELTA_MIB says how large a release is.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from pathlib import Path

from django.conf import settings

from delivery.artefacts import store
from delivery.artefacts.packs import pack_for
from delivery.artefacts.rules import Rules
from tests.bench.figures import Figure

MIB = 2**20
SIZE = int(os.environ.get("ADMINSET_BENCH_DELTA_MIB", "100")) * MIB
FILES = 1000
PLACES = 40
GOAL = "<= 10 %"


def run(folder: Path) -> list[Figure]:
    """Measure packs of a release, and of the next one."""
    settings.ARTEFACTS_DIR = folder / "artefacts"
    dice = random.Random(1)  # noqa: S311 - bytes for a bench
    many, one = folder / "many", folder / "one"
    _write_many(many, dice)
    small = folder / "small"
    _write_many(small, dice)
    one.mkdir()
    (one / "app.bin").write_bytes(dice.randbytes(SIZE))
    return [
        *_figures("1 % of 1,000 files changed", many, _change_files, dice),
        *_figures("1 % of each of 1,000 files changed", small, _change_each, dice),
        *_figures(
            f"1 % of one file changed, in {PLACES} places", one, _change_within, dice
        ),
    ]


def _figures(words: str, folder: Path, change, dice: random.Random) -> list[Figure]:  # type: ignore[no-untyped-def]
    first = store.add(folder, Rules())
    whole = pack_for(first.sha256)
    change(folder, dice)
    second = store.add(folder, Rules())
    began = time.perf_counter()
    pack = pack_for(second.sha256, first.sha256)
    seconds = time.perf_counter() - began
    shutil.rmtree(folder)
    share = 100 * pack.size / whole.size
    return [
        Figure(f"delivery_delta: {words}, bytes of the whole", share, "%", GOAL),
        Figure(f"delivery_delta: {words}, making the pack", seconds, "s"),
    ]


def _write_many(folder: Path, dice: random.Random) -> None:
    for number in range(FILES):
        place = folder / f"lib{number % 20}" / f"file{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(dice.randbytes(SIZE // FILES))


def _change_files(folder: Path, dice: random.Random) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in dice.sample(files, FILES // 100):
        path.write_bytes(dice.randbytes(SIZE // FILES))


def _change_each(folder: Path, dice: random.Random) -> None:
    for path in (path for path in folder.rglob("*") if path.is_file()):
        data = bytearray(path.read_bytes())
        part = dice.randbytes(len(data) // 100)
        place = dice.randrange(len(data) - len(part))
        data[place : place + len(part)] = part
        path.write_bytes(bytes(data))


def _change_within(folder: Path, dice: random.Random) -> None:
    path = folder / "app.bin"
    data = bytearray(path.read_bytes())
    for place in sorted(dice.sample(range(len(data)), PLACES), reverse=True):
        part = dice.randbytes(SIZE // 100 // PLACES)
        # Half of them move all that comes after them.
        data[place : place + (len(part) if place % 2 else 0)] = part
    path.write_bytes(bytes(data))
