"""The one place that starts programs: fixed ones, by absolute path, to read their output."""

import os
import subprocess
from pathlib import Path
from typing import List, Optional

FOLDERS = (
    "/usr/bin",
    "/usr/sbin",
    "/bin",
    "/sbin",
    "/usr/local/bin",
    "/usr/local/sbin",
)
MOST_BYTES = 4 << 20
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}


def find(name: str) -> Optional[str]:
    """The absolute path of a program of the system; None where it is not there."""
    for folder in FOLDERS:
        path = Path(folder) / name
        if path.is_file() and os.access(str(path), os.X_OK):
            return str(path)
    return None


def output(path: str, arguments: List[str], seconds: float) -> str:
    """What the program prints, whatever its exit code; no shell, no input.

    Raises OSError; TimeoutError after `seconds`, the program is killed then.
    """
    process = subprocess.Popen(  # noqa: S603 - a path of `find`, arguments of our own
        [path, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
        close_fds=True,
    )
    try:
        text = process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise TimeoutError(f"{path} took longer than {seconds} s") from error
    return text[:MOST_BYTES].decode("utf-8", "replace")
