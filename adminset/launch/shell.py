"""Runs the set-up's tools; their output goes to var/log/setup.log, their failure becomes one sentence."""

import os
import re
import signal
import subprocess
from pathlib import Path

from adminset.launch.config import Place
from adminset.launch.errors import LaunchError, OfflineError

NO_NETWORK = re.compile(
    r"dns error|name resolution|name or service not known|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|"
    r"ECONNRESET|ETIMEDOUT|ENETUNREACH|timed? ?out|connection (refused|reset|error|aborted)|"
    r"network is unreachable|tunnel error|proxy|failed to fetch|error sending request",
    re.IGNORECASE,
)
NO_ROOM = re.compile(r"no space left|ENOSPC|disk quota", re.IGNORECASE)


def run(
    place: Place,
    command: list[str],
    *,
    what: str,
    folder: Path | None = None,
    extra: dict[str, str] | None = None,
) -> str:
    """Run a tool to its end and return what it wrote.

    Raises:
        LaunchError: it failed; the sentence says what could not be had and why.
        OfflineError: it failed for want of a network.
    """
    code, output = _finish(
        command, folder or place.root, {**os.environ, **caches(place), **(extra or {})}
    )
    log = place.log_dir / "setup.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n{output}\n")
    if code:
        kind = OfflineError if NO_NETWORK.search(output) else LaunchError
        raise kind(sentence(what, output, log))
    return output


def _finish(
    command: list[str], folder: Path, environment: dict[str, str]
) -> tuple[int, str]:
    """Run in a group of its own, so that a Ctrl-C leaves no half-done helper behind."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
    )
    try:
        output, _nothing = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, output.decode(errors="replace")


def caches(place: Place) -> dict[str, str]:
    """Keep the caches of pip, uv and npm in the data directory unless somebody chose a place."""
    cache = place.data / "cache"
    chosen = {
        "UV_CACHE_DIR": str(cache / "uv"),
        "PIP_CACHE_DIR": str(cache / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    return {name: value for name, value in chosen.items() if name not in os.environ}


def sentence(what: str, output: str, log: Path) -> str:
    """Say in one sentence why a tool failed."""
    if NO_ROOM.search(output):
        return f"{what}: the disk has no room left. Free 1.5 GB and run the command again (log: {log})."
    if NO_NETWORK.search(output):
        return (
            f"{what} could not be downloaded: no connection to the package index. Check the network, "
            f"or set HTTPS_PROXY, and run the command again (log: {log})."
        )
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = lines[-1] if lines else "no output"
    return f"{what} could not be set up: {last} (log: {log})."
