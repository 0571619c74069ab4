"""A store of its own for each test, and a host that reads packs as FORMAT 1 says."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from delivery.artefacts import store
from delivery.artefacts.packs import Pack
from delivery.artefacts.rules import Rules
from delivery.artefacts.store import Stored

# The shortest reader of the format; the one that runs on hosts is delivery/onhost's.
READER = r"""
set -eu
base=$1
z=; [ "$(head -c 2 pack | od -An -tx1 | tr -d ' ')" != 1f8b ] || z=z
tar -x${z}f pack
mkdir -p tree; tab=$(printf '\t'); block=$(sed -n 's/^block=//p' plan)
if [ -s same ]; then tar -C "$base" -cf - -T same | tar -C tree -xf -; fi
while IFS="$tab" read -r where from to; do
    [ "$where" = base ] || continue
    mkdir -p "tree/${to%/*}"; cp "$base/$from" "tree/$to"
done <copies
while IFS="$tab" read -r n from to; do
    mkdir -p "tree/${to%/*}"
    size=$block
    while read -r op a b; do
        case $op in
            b) size=$a ;;
            c) dd if="$base/$from" bs="$size" skip="$a" count="$b" 2>/dev/null ;;
            l) cat "patch/$n/$a" ;;
        esac
    done <"patch/$n/ops" >"tree/$to"
done <patches
while IFS="$tab" read -r where from to; do
    [ "$where" = new ] || continue
    cp "tree/$from" "tree/$to"
done <copies
find tree -type f -exec chmod 644 {} +
tr '\n' '\0' <exec | (cd tree && xargs -0 -r chmod 755)
cd tree; if [ -s ../sums ]; then sha256sum -c --status ../sums; fi
"""


@pytest.fixture(autouse=True)
def data(tmp_path: Path, settings: Any) -> Path:
    """Give each test folders of its own."""
    settings.BUILD_DIR = tmp_path / "builds"
    settings.ARTEFACTS_DIR = tmp_path / "artefacts"
    return tmp_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Stored]:
    """Store some files: texts, bytes, or None for an empty folder; `->x` is a link."""
    numbers = itertools.count()

    def make(files: dict[str, Any], *, executable: tuple[str, ...] = ()) -> Stored:
        root = tmp_path / f"put{next(numbers)}"
        root.mkdir()
        for name, content in files.items():
            place = root / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                place.mkdir()
            elif isinstance(content, str) and content.startswith("->"):
                place.symlink_to(content[2:])
            else:
                raw = content.encode() if isinstance(content, str) else content
                place.write_bytes(raw)
                place.chmod(0o755 if name in executable else 0o644)
        return store.add(root, Rules())

    return make


@pytest.fixture
def receive(tmp_path: Path) -> Callable[..., Path]:
    """Read a pack on a host that has a base; give the folder of the release."""
    numbers = itertools.count()

    def read(pack: Pack, base: Path | None = None, shell: str = "dash") -> Path:
        room = tmp_path / f"host{next(numbers)}"
        room.mkdir()
        shutil.copy(pack.path, room / "pack")
        subprocess.run(
            [*shell.split(), "-c", READER, "reader", str(base or "")],
            cwd=room,
            check=True,
        )
        return room / "tree"

    return read
