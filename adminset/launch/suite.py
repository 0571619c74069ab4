"""`make test`: the checks of `make lint`, then pytest in several processes; the last line is pytest's."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from adminset.launch import config, lint

# Two cores, twice: half of the time a test waits for a store, an sshd, a browser.
WORKERS = "4"
# Two cores with four processes make real parts late: so few that failed are looked at once more, alone.
SECOND_LOOK = 12
SOME_FAILED = 1
# What xdist says of a process that died: no test of it failed then, and nobody knows what else it broke.
CRASHED = b"node down: "
CACHE = ".pytest_cache/v/cache/lastfailed"
LONGEST_NAME = 200


@dataclass(frozen=True)
class Ended:
    """How pytest ended, and whether one of its processes died."""

    code: int
    crashed: bool = False


def main(words: list[str]) -> int:
    """Run both, also when the first fails; 0 when both pass."""
    # Where Python keeps nothing that it has compiled, each of the many processes compiles everything anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    place = config.read()
    with tempfile.TemporaryDirectory(
        prefix="adminset-test-run-", ignore_cleanup_errors=True
    ) as folder:
        os.environ["TEST_RUN_FOLDER"] = folder
        ahead = _ahead(place, words)
        clean = lint.run(place)
        for each in ahead:
            each.wait()
        return tested(place, words) or (0 if clean else 1)


def _ahead(place: config.Place, words: list[str]) -> list["subprocess.Popen[bytes]"]:
    """Begin beside the checks, which leave a core free, with what each process of pytest would do or wait for: compile the tests, make the database. Who fails here fails there, and says why."""
    compiling = _pytest(place, "0", "--collect-only", "-p", "no:cacheprovider", *words)
    migrating = [str(place.python), "-m", "tests.template"]
    return [
        subprocess.Popen(  # noqa: S603 - our own commands
            command,
            cwd=place.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in (compiling, migrating)
    ]


def tested(place: config.Place, words: list[str]) -> int:
    """Run the tests, and those that failed once more alone where they are few; give pytest's exit code."""
    # What failed another day is none of this run's.
    (place.root / CACHE).unlink(missing_ok=True)
    ended = _beside_others(place, words)
    names = _failed(place)
    few = 0 < len(names) <= most_again(place.environ)
    if ended.code != SOME_FAILED or ended.crashed or not few:
        return ended.code
    return ended.code if not _passes_alone(place, words, names) else 0


def most_again(environ: Mapping[str, str]) -> int:
    """Say how many tests that failed are looked at once more; 0 for none."""
    text = environ.get("ADMINSET_TEST_SECOND_LOOK", "")
    return int(text) if text.isdecimal() else SECOND_LOOK


def _beside_others(place: config.Place, words: list[str]) -> Ended:
    """Run pytest, show what it says as it comes, and listen for processes that die."""
    command = _pytest(place, WORKERS, *_colours(), *words)
    crashed, before = False, b""
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=place.root, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for mypy
        while data := os.read(process.stdout.fileno(), 65536):
            crashed = crashed or CRASHED in before + data
            before = data[-len(CRASHED) :]
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
    return Ended(process.returncode, crashed)


def _passes_alone(place: config.Place, words: list[str], names: list[str]) -> bool:
    """Run what failed once more with nothing beside it, and say how that went; pytest's own last line stays the last."""
    sys.stdout.write(f"\nOnce more, alone: {_count(names)} that failed.\n")
    sys.stdout.flush()
    again = ("--last-failed", "--last-failed-no-failures", "none")
    looked = subprocess.run(  # noqa: S603 - our own command
        _pytest(place, "0", *again, *_colours(), *words),
        cwd=place.root,
        check=False,
        stdout=subprocess.PIPE,
    )
    # One that was not found again is in it still.
    passed = looked.returncode == 0 and not _failed(place)
    if passed:
        sys.stdout.write(f"{_count(names)} failed beside others and passed alone:\n")
        sys.stdout.writelines(f"  {name[:LONGEST_NAME]}\n" for name in names)
    sys.stdout.flush()
    sys.stdout.buffer.write(looked.stdout)
    sys.stdout.buffer.flush()
    return passed


def _pytest(place: config.Place, workers: str, *words: str) -> list[str]:
    command = [str(place.python), "-m", "pytest", "-n", workers]
    return [*command, "--dist", "loadgroup", "-q", *words]


def _colours() -> list[str]:
    """Pytest writes into a pipe here, but somebody may look on."""
    return ["--color=yes"] if sys.stdout.isatty() else []


def _failed(place: config.Place) -> list[str]:
    """Name what pytest remembers as failed."""
    try:
        return sorted(json.loads((place.root / CACHE).read_bytes()))
    except FileNotFoundError:
        return []


def _count(names: list[str]) -> str:
    return "1 test" if len(names) == 1 else f"{len(names)} tests"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
