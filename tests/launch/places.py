"""Places to launch from in tests: a data directory with a short path, and a stub of the project."""

import shutil
import socket
from pathlib import Path

from adminset.launch.config import ROOT, Place

STUB = Path(__file__).parent / "stub"


def make_place(folder: Path, **environ: str) -> Place:
    """Make a place whose tree is empty."""
    return Place(folder, folder / "var", "127.0.0.1", 8000, environ)


def make_stub(folder: Path) -> Path:
    """Copy the stub project and give it the real virtual environment."""
    root = folder / "project"
    shutil.copytree(STUB, root)
    (root / ".venv").symlink_to(ROOT / ".venv")
    return root


def free_port() -> int:
    """Find a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
