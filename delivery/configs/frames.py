"""What a push is for, before any text is filled in: which files in which versions, on which hosts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import seen
from appconf.config.questions import files_of, in_force, path_in
from appconf.models import ConfigFile, ConfigVersion, Environment
from appconf.vouching import ensure_may_deploy, hosts_of
from cmdb.models import Host
from delivery.configs.programs import MOST_FILES, Placed

SETTINGS = ("owner", "group", "mode", "backup", "validate_command", "reload_command")


def row_of(placed: Placed, version: ConfigVersion) -> dict[str, Any]:
    """Give a file as the row of a push keeps it."""
    return {
        "file": placed.file.pk,
        "name": placed.file.name,
        "version": version.pk,
        "number": version.number,
        "path": placed.path,
    }


@dataclass(frozen=True)
class FilePlan:
    """A file of a plan: its version in force, where it lies, and what runs for it."""

    placed: Placed
    version: ConfigVersion

    @property
    def file(self) -> ConfigFile:
        """The file."""
        return self.placed.file


@dataclass(frozen=True)
class Frame:
    """What a push is for, before any text is filled in: files with their versions, and hosts."""

    environment: Environment
    files: list[FilePlan]
    hosts: list[Host]

    @property
    def size(self) -> int:
        """How many texts are to be filled in."""
        return len(self.files) * len(self.hosts)

    def files_told(self) -> list[dict[str, Any]]:
        """Give the files as the row of a push keeps them."""
        return [row_of(one.placed, one.version) for one in self.files]

    def told(self) -> dict[str, Any]:
        """Give all of it as plain values: two frames that tell the same are the same."""
        return {
            "environment": self.environment.pk,
            "files": [
                [one.file.pk, one.version.pk, one.placed.path]
                + [getattr(one.file, name) for name in SETTINGS]
                for one in self.files
            ],
            "hosts": [host.pk for host in self.hosts],
        }


def frame_of(
    actor: Any,
    environment: Environment,
    file_ids: Iterable[int] | None = None,
    host_ids: Iterable[int] | None = None,
) -> Frame:
    """Say which files and hosts a push is for, in a few queries; raises what planning.make_plan does."""
    ensure_may_deploy(actor, environment)
    files = _files(actor, environment, file_ids)
    return Frame(environment, files, _hosts(actor, environment, host_ids))


def choosable(actor: Any, environment: Environment) -> list[Host]:
    """Give the hosts among which somebody may choose: those that are delivered to, as far as they may be seen."""
    found: list[Host] = seen(actor, _all_hosts(environment))
    return found


def _all_hosts(environment: Environment) -> list[Host]:
    return list(hosts_of(environment).order_by("hostname", "pk"))


def _hosts(
    actor: Any, environment: Environment, host_ids: Iterable[int] | None
) -> list[Host]:
    if host_ids is not None:
        wanted = set(host_ids)
        # One that may not be seen is told as one that is not there.
        chosen = [one for one in choosable(actor, environment) if one.pk in wanted]
        if not wanted or len(chosen) != len(wanted):
            raise Conflict(
                _("One of the hosts is not delivered to here."),
                _("Choose the hosts again."),
                code="no_host",
            )
        return chosen
    hosts = _all_hosts(environment)
    if not hosts:
        raise Conflict(
            _("%(environment)s has no host that is delivered to.")
            % {"environment": environment},
            _("Put hosts into it."),
            code="no_host",
        )
    return hosts


def _files(
    actor: Any, environment: Environment, file_ids: Iterable[int] | None
) -> list[FilePlan]:
    listed = files_of(environment)
    if file_ids is not None:
        wanted = set(file_ids)
        listed = [file for file in listed if file.pk in wanted]
        if len(listed) != len(wanted):
            raise Conflict(_("One of the files is not of this environment any more."))
    if len(seen(actor, listed)) != len(listed):
        raise Forbidden(
            _("There are files that you may not see."),
            _("Ask for the permission %(permission)s.")
            % {"permission": "appconf.view_configfile"},
        )
    force = in_force(listed)
    found = [file for file in listed if file.pk in force]
    if not found:
        raise Conflict(
            _("No version of a file is in force here."),
            _("Write one, and have it approved where that is needed."),
            code="no_file",
        )
    return _placed(environment, found[: MOST_FILES + 1], force)


def _placed(
    environment: Environment,
    files: Sequence[ConfigFile],
    force: dict[int, ConfigVersion],
) -> list[FilePlan]:
    if len(files) > MOST_FILES:
        raise DomainError(
            _("At most %(most)s files go together.") % {"most": MOST_FILES},
            _("Choose some of them."),
            code="too_many_files",
        )
    return [
        FilePlan(Placed(file, path_in(file, environment)), force[file.pk])
        for file in files
    ]
