"""Which files of configuration are not on hosts as they should be: told beside a deploy, so that nobody ships past them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from adminset.errors import DomainError
from appconf.config.questions import files_of, in_force, path_in
from appconf.models import ConfigFile, ConfigVersion, Environment
from delivery.models import ConfigDrift

UNPUSHED, NEWER, MOVED = "unpushed", "newer", "moved"
# What is said of each, besides the states of what was read back.
WORDS = {
    UNPUSHED: _("never pushed here"),
    NEWER: _("a newer version was not pushed"),
    MOVED: _("its path changed since its push"),
}


@dataclass(frozen=True)
class PendingFile:
    """A file that is not on a host as it should be.

    Attributes:
        state: UNPUSHED, NEWER, MOVED, or a state of ConfigDrift. drift: key of what was read back, whose page has the
            difference; 0 where nothing was. file: its key: where a file lies is told to who may see it.
    """

    path: str
    state: str
    drift: int = 0
    file: int = 0


@dataclass(frozen=True)
class Pending:
    """All of them: by the host's id; and the files in force of which nobody ever pushed or read anything there."""

    hosts: dict[int, tuple[PendingFile, ...]] = field(default_factory=dict)
    unpushed: tuple[PendingFile, ...] = ()


def pending_of(environment: Environment, host_ids: Iterable[int]) -> Pending:
    """Say which files in force are, as far as is known, not as they should be on some hosts; a few queries, however many there are."""
    listed = files_of(environment)
    force = in_force(listed)
    paths = {file.pk: _path(file, environment) for file in listed if file.pk in force}
    rows = ConfigDrift.objects.filter(environment=environment, file__in=list(force))
    known = {(row.host_id, row.file_id): row for row in rows.defer("found", "secrets")}
    begun = {file_id for _host, file_id in known}
    hosts: dict[int, tuple[PendingFile, ...]] = {}
    for host_id in host_ids:
        found = [
            _pending(known.get((host_id, pk)), force[pk], path)
            for pk, path in paths.items()
            if pk in begun
        ]
        if files := tuple(one for one in found if one is not None):
            hosts[host_id] = files
    never = [
        PendingFile(path, UNPUSHED, file=pk)
        for pk, path in paths.items()
        if pk not in begun
    ]
    return Pending(hosts, tuple(never))


def _pending(
    row: ConfigDrift | None, version: ConfigVersion, path: str
) -> PendingFile | None:
    file = version.file_id
    if row is None:
        return PendingFile(path, UNPUSHED, file=file)
    is_same = row.state == ConfigDrift.State.SAME
    if row.path not in ("", path):
        return PendingFile(path, MOVED, row.pk, file)
    if is_same and row.version_id == version.pk:
        return None
    if not row.path and not is_same:
        return PendingFile(path, UNPUSHED, row.pk, file)
    state = NEWER if is_same else str(row.state)
    return PendingFile(path, state, row.pk, file)


def _path(file: ConfigFile, environment: Environment) -> str:
    try:
        return path_in(file, environment)
    except DomainError:
        return file.path
