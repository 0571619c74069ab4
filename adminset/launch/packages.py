"""Makes .venv and installs the pinned packages, with uv where it can be had and plain pip elsewhere."""

import sys
from pathlib import Path

from adminset.launch import shell, stamps
from adminset.launch.config import Place
from adminset.launch.errors import LaunchError, OfflineError

RUNTIME = ("requirements.txt",)
DEVELOPMENT = ("requirements.txt", "requirements-dev.txt")


def install(place: Place, lists: tuple[str, ...] = RUNTIME) -> bool:
    """Install the lists by their hashes; False when they are installed already."""
    files = [place.root / name for name in lists]
    stamp = place.venv / (
        "adminset.stamp" if lists == RUNTIME else "adminset-dev.stamp"
    )
    wanted = stamps.of_files(files, _python_version(), "compiled")
    if place.python.exists() and stamps.read(stamp) == wanted:
        return False
    # A set-up that was interrupted may have left Python without pip.
    if not (place.venv / "bin" / "pip").exists():
        shell.run(
            place,
            [sys.executable, "-m", "venv", "--clear", str(place.venv)],
            what="The virtual environment",
        )
    _install(place, files)
    stamps.write(stamp, wanted)
    return True


def _python_version() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def _install(place: Place, files: list[Path]) -> None:
    listed = [part for file in files for part in ("-r", str(file))]
    if _has_uv(place):
        command = [
            str(place.venv / "bin" / "uv"),
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
        ]
        command += ["--python", str(place.python)]
    else:
        command = pip(place)
    shell.run(
        place, [*command, "--require-hashes", *listed], what="The Python packages"
    )


def pip(place: Place) -> list[str]:
    """Name the venv's own pip."""
    return [str(place.python), "-m", "pip", "install", "--quiet", "--retries", "1"]


def _has_uv(place: Place) -> bool:
    """Install uv into the venv; a machine for which it has no wheel goes on with pip."""
    if (place.venv / "bin" / "uv").exists():
        return True
    listing = str(place.root / "requirements-setup.txt")
    options = ["--require-hashes", "--only-binary", ":all:", "-r", listing]
    try:
        shell.run(place, [*pip(place), *options], what="The installer uv")
    except OfflineError:
        raise
    except LaunchError:
        return False
    return True
