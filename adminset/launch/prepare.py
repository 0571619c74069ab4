"""The set-up of the working tree: packages, front-end files, translations, static files. Each step runs once."""

import os
from collections.abc import Callable
from functools import partial

from adminset.launch import checks, debian, frontend, packages, shell, stamps
from adminset.launch.config import Place
from adminset.launch.progress import step

Step = tuple[str, Callable[[Place], bool | None]]


def for_running(place: Place) -> None:
    """Prepare all that `make up` needs; the process manager's two steps follow."""
    _run(place, RUNNING, len(RUNNING) + 2)


def for_worker(place: Place) -> None:
    """Prepare all that a worker elsewhere needs."""
    _run(place, WORKER, len(WORKER))


def for_tools(place: Place) -> None:
    """Prepare all that linters and formatters need."""
    _run(place, TOOLS, len(TOOLS))


def for_tests(place: Place) -> None:
    """Prepare all that the suite needs."""
    _run(place, TESTS, len(TESTS))


def _run(place: Place, steps: list[Step], total: int) -> None:
    for number, (title, work) in enumerate(steps, 1):
        step(number, total, title, partial(work, place))


def translations(place: Place) -> bool:
    """Compile locale/*/LC_MESSAGES/django.po when one has changed."""
    catalogues = sorted((place.root / "locale").glob("*/LC_MESSAGES/*.po"))
    stamp = place.root / "locale" / ".stamp"
    wanted = stamps.of_files(catalogues, *map(str, catalogues))
    compiled = all(file.with_suffix(".mo").exists() for file in catalogues)
    if compiled and stamps.read(stamp) == wanted:
        return False
    command = [str(place.python), "-m", "adminset.launch.messages", "compile"]
    shell.run(place, command, what="The translations")
    stamps.write(stamp, wanted)
    return True


def static_files(place: Place) -> bool:
    """Collect static/ and the apps' files into the data directory when one has changed."""
    stamp = place.data / "cache" / "static.stamp"
    packages_stamp = stamps.read(place.venv / "adminset.stamp")
    wanted = stamps.of_folders([place.root / "static"], packages_stamp)
    if (place.data / "static").exists() and stamps.read(stamp) == wanted:
        return False
    # DEBUG would collect without the manifest that the next start without it needs.
    production = {
        "DEBUG": "0",
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
        "PATH": f"{place.venv / 'bin'}:{os.environ.get('PATH', '')}",
    }
    command = ["manage.py", "collectstatic", "--noinput", "--clear", "--verbosity", "0"]
    shell.run(
        place, [str(place.python), *command], what="The static files", extra=production
    )
    stamps.write(stamp, wanted)
    return True


def development_packages(place: Place) -> bool:
    """Install what tests and linters need on top."""
    return packages.install(place, packages.DEVELOPMENT)


RUNNING: list[Step] = [
    ("This machine", checks.look),
    ("Python packages", packages.install),
    ("Front-end files", frontend.bring),
    ("Translations", translations),
    ("Static files", static_files),
]
WORKER: list[Step] = [*RUNNING[:2], RUNNING[3]]
TOOLS: list[Step] = [
    *RUNNING[:2],
    ("Packages for tests", development_packages),
    *RUNNING[2:4],
]
TESTS: list[Step] = [*TOOLS, RUNNING[4], ("Debian packages", debian.bring)]
