"""Which files of configuration are not on hosts as they should be: told beside a deploy, so that nobody ships past them."""

from collections.abc import Iterable

from adminset.errors import DomainError
from appconf.config.questions import files_of, in_force, path_in
from appconf.models import ConfigFile, Environment
from delivery.models import ConfigDrift


def pending_by_host(
    environment: Environment, host_ids: Iterable[int]
) -> dict[int, tuple[str, ...]]:
    """Give the paths of files that are in force and, as far as is known, not on a host as they should be: host's id -> paths.

    Files that were never pushed to the environment are not told: nobody has begun with them.
    """
    listed = files_of(environment)
    force = in_force(listed)
    keys = list(host_ids)
    rows = ConfigDrift.objects.filter(environment=environment, file__in=list(force))
    known = {(row.host_id, row.file_id): row for row in rows.defer("found")}
    begun = {file_id for _host, file_id in known}
    found: dict[int, tuple[str, ...]] = {}
    for host_id in keys:
        paths = [
            _path(file, environment)
            for file in listed
            if file.pk in begun
            and not _is_so(
                known.get((host_id, file.pk)),
                force[file.pk].pk,
                _path(file, environment),
            )
        ]
        if paths:
            found[host_id] = tuple(paths)
    return found


def _is_so(row: ConfigDrift | None, version_id: int, path: str) -> bool:
    return (
        row is not None
        and row.path in ("", path)
        and row.state == ConfigDrift.State.SAME
        and row.version_id == version_id
    )


def _path(file: ConfigFile, environment: Environment) -> str:
    try:
        return path_in(file, environment)
    except DomainError:
        return file.path
