"""`make test`: the checks of `make lint`, then pytest on two cores; the last line is pytest's."""

import subprocess
import sys

from adminset.launch import config, lint


def main(words: list[str]) -> int:
    """Run both, also when the first fails; 0 when both pass."""
    place = config.read()
    clean = lint.run(place)
    command = [
        str(place.python),
        "-m",
        "pytest",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        "-q",
        *words,
    ]
    tested = subprocess.run(command, cwd=place.root, check=False)  # noqa: S603 - our own command
    return tested.returncode or (0 if clean else 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
