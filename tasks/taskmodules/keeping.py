"""What keeps the rows in step with the files: at every start of the portal, and what `manage.py check` says of broken files."""

import logging
from typing import Any

from django.core.checks import CheckMessage, Warning

from tasks.taskmodules import loading

logger = logging.getLogger(__name__)


def prepare(actor: Any) -> None:
    """Read the files; what cannot be used is logged and shown on the page, and stops nothing."""
    report = loading.load_files(actor=actor)
    for problem in report.problems:
        logger.warning("task module %s: %s", problem.file, " ".join(problem.sentences))


def check_files(**_: Any) -> list[CheckMessage]:
    """Warn of files that cannot be used, without a look at the database."""
    _sources, problems = loading.read_files()
    return [
        Warning(
            f"The task module {problem.file} cannot be used: {' '.join(problem.sentences)}",
            hint="Correct the file, or take it away.",
            id="tasks.W001",
        )
        for problem in problems
    ]
