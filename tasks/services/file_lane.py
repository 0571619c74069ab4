"""File distribution as work of the SSH lane: which bytes go where."""

from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks.library.choosing import content_of
from tasks.models import Version
from tasks.services.jobs import Job
from tasks.services.ssh_work import Work
from tasks.ssh.delivery import Delivery
from tasks.ssh.files import put_files
from tasks.ssh.terms import Terms
from tasks.targets import CommandResult, Target


def file_work(job: Job) -> Work:
    """Give the work of a run of kind files: the versions that were frozen into it.

    Raises:
        DomainError: a version or its bytes are gone; nothing is sent anywhere then.
    """
    entries = job.run.distribution
    found = Version.objects.in_bulk([entry.get("version") for entry in entries])
    deliveries = [
        _delivery(entry, found.get(entry.get("version"))) for entry in entries
    ]

    def do(target: Target, terms: Terms) -> CommandResult:
        return put_files(target, deliveries, terms)

    return Work(do)


def _delivery(entry: dict[str, Any], version: Version | None) -> Delivery:
    path = str(entry.get("path", ""))
    content = content_of(version) if version is not None else None
    if version is None or not isinstance(content, Path):
        raise DomainError(
            _("The file for %(path)s is not in the library any more.") % {"path": path},
            _("Choose it anew and ask for the run again."),
            code="file_missing",
        )
    return Delivery(
        content,
        version.sha256,
        version.size,
        path,
        str(entry.get("owner") or ""),
        str(entry.get("group") or ""),
        str(entry.get("mode") or ""),
        bool(entry.get("backup")),
    )
