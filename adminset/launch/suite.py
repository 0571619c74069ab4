"""`make test`: the checks of `make lint`, then pytest in several processes; the last line is pytest's."""

import os
import subprocess
import sys

from adminset.launch import config, lint

# Two cores, twice: half of the time a test waits for a store, an sshd, a browser.
WORKERS = "4"


def main(words: list[str]) -> int:
    """Run both, also when the first fails; 0 when both pass."""
    # Where Python keeps nothing that it has compiled, each of the many processes compiles everything anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    place = config.read()
    clean = lint.run(place)
    command = [
        str(place.python),
        "-m",
        "pytest",
        "-n",
        WORKERS,
        "--dist",
        "loadgroup",
        "-q",
        *words,
    ]
    tested = subprocess.run(command, cwd=place.root, check=False)  # noqa: S603 - our own command
    return tested.returncode or (0 if clean else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
