"""`make lint`: everything that reads the code without running it, one short line a check."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from adminset.launch import config, shell
from adminset.launch.config import Place
from adminset.launch.progress import say


@dataclass(frozen=True)
class Check:
    """One tool and its arguments; `offline` may fail where there is no network."""

    name: str
    command: list[str]
    offline: bool = False


def checks(place: Place) -> list[Check]:
    """List the checks."""
    templates = [str(file) for file in html_files(place.root)]
    cache = str(place.data / "cache" / "pip-audit")
    audit = [
        "pip-audit",
        "--progress-spinner",
        "off",
        "--disable-pip",
        "--require-hashes",
    ]
    return [
        Check("ruff check", ["ruff", "check", "--quiet", "."]),
        Check("ruff format", ["ruff", "format", "--check", "--quiet", "."]),
        Check("mypy", ["mypy", *python_packages(place.root)]),
        Check("import contracts", ["lint-imports"]),
        Check("djade", ["djade", "--check", "--target-version", "5.2", *templates]),
        Check("djhtml", ["djhtml", "--check", *templates]),
        Check(
            "migrations",
            ["python", "manage.py", "makemigrations", "--check", "--dry-run"],
        ),
        Check(
            "known holes",
            [*audit, "--cache-dir", cache, "-r", "requirements.txt"],
            offline=True,
        ),
    ]


def html_files(root: Path) -> list[Path]:
    """List our own templates."""
    rooms = (root / name / "templates" for name in python_packages(root))
    folders = [root / "templates", *rooms]
    return sorted(file for folder in folders for file in folder.rglob("*.html"))


def python_packages(root: Path) -> list[str]:
    """List the packages of the project that are typed."""
    found = (file.parent.name for file in root.glob("*/__init__.py"))
    return sorted(name for name in found if name != "tests")


def run(place: Place) -> bool:
    """Run all checks; show the output of those that fail."""
    passed = [_passes(place, check) for check in checks(place)]
    return all(passed)


def _passes(place: Place, check: Check) -> bool:
    started = time.monotonic()
    program = str(place.venv / "bin" / check.command[0])
    done = subprocess.run(  # noqa: S603 - our own command
        [program, *check.command[1:]],
        cwd=place.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    took = f"{time.monotonic() - started:.1f} s"
    if not done.returncode:
        say(f"{check.name:<18} ok      {took}")
        return True
    if check.offline and shell.NO_NETWORK.search(done.stdout):
        say(f"{check.name:<18} skipped {took} (no network)")
        return True
    say(f"{check.name:<18} FAILED  {took}\n{done.stdout.rstrip()}")
    return False


def main() -> int:
    """Run the checks; 1 when one of them fails."""
    return 0 if run(config.read()) else 1


if __name__ == "__main__":
    sys.exit(main())
