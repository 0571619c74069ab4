"""What the launcher reads from the environment and `.env`, before any package is installed (standard library only)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adminset.launch.errors import LaunchError

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Place:
    """One installation: where it lies, where its data lies, and at which address it answers."""

    root: Path
    data: Path
    bind: str
    port: int
    environ: Mapping[str, str]

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def run_dir(self) -> Path:
        return self.data / "run"

    @property
    def log_dir(self) -> Path:
        return self.data / "log"

    @property
    def url(self) -> str:
        """The address to open in a browser on this machine."""
        everywhere = self.bind in {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
        host = "127.0.0.1" if everywhere else self.bind
        return (
            f"http://[{host}]:{self.port}"
            if ":" in host
            else f"http://{host}:{self.port}"
        )

    def is_set(self, name: str) -> bool:
        """True when a setting is configured by value or by file."""
        return bool(self.environ.get(name) or self.environ.get(f"{name}_FILE"))


def read(root: Path = ROOT, environ: Mapping[str, str] | None = None) -> Place:
    """Read the place of this installation.

    Raises:
        LaunchError: PORT is not a port.
    """
    outside = os.environ if environ is None else environ
    known = {**read_dotenv(root / ".env"), **outside}
    data = Path(known.get("ADMINSET_DATA_DIR") or root / "var").resolve()
    return Place(
        root=root,
        data=data,
        bind=known.get("BIND") or "127.0.0.1",
        port=_port(known.get("PORT") or "8000"),
        environ=known,
    )


def read_dotenv(path: Path) -> dict[str, str]:
    """Read the plain lines NAME=value of `.env`; python-dotenv reads the rest later."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.strip().removeprefix("export ").partition("=") for line in lines)
    return {
        name.strip(): _unquoted(value.strip())
        for name, equals, value in pairs
        if equals and not name.startswith("#")
    }


def _unquoted(value: str) -> str:
    for quote in "'\"":
        if len(value) > 1 and value[0] == value[-1] == quote:
            return value[1:-1]
    return value.partition(" #")[0].strip()


def concurrency(place: Place) -> int:
    """Read how many runs the runner, or a worker elsewhere, does at the same time.

    Raises:
        LaunchError: it is no such number.
    """
    text = place.environ.get("ADMINSET_WORKER_CONCURRENCY") or "4"
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 256:
        return int(text)
    raise LaunchError(
        f"ADMINSET_WORKER_CONCURRENCY is {text!r}; wanted: a whole number from 1 to 256."
    )


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 65535:
        return int(text)
    raise LaunchError(
        f"PORT is {text!r}; wanted: a number from 1 to 65535, as in PORT=8123 make up."
    )
