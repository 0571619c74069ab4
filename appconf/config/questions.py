"""What is in force: the files of an environment, where each lies, and which of its versions counts."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from appconf.config.places import holder_of, place_of
from appconf.models import ConfigFile, ConfigVersion, Environment

Status = ConfigVersion.Status


def path_in(file: ConfigFile, environment: Environment) -> str:
    """Give the absolute path of a file on the hosts of an environment.

    Raises:
        DomainError: it lies below the configuration path, and there is none.
    """
    if file.path.startswith("/"):
        return file.path
    if not environment.config_folder:
        raise DomainError(
            _("%(file)s has no absolute path.") % {"file": file.name},
            _("Enter the configuration path of the environment or the project."),
            code="no_path",
        )
    return place_of(file, environment.config_folder)


def files_of(environment: Environment) -> list[ConfigFile]:
    """List the files of an environment, one for each place: its own, and those of all environments (places.holder_of)."""
    rows = ConfigFile.objects.filter(project=environment.project_id).filter(
        Q(environment=None) | Q(environment=environment)
    )
    found: dict[str, list[ConfigFile]] = {}
    for file in rows.select_related("project", "environment"):
        found.setdefault(place_of(file, environment.config_folder), []).append(file)
    force = in_force(
        file for files in found.values() if len(files) > 1 for file in files
    )
    taking = [holder_of(files, force) for files in found.values()]
    return sorted(taking, key=lambda file: (file.path, file.pk))


def in_force(files: Iterable[ConfigFile]) -> dict[int, ConfigVersion]:
    """Give the version that counts of each file, by the file's id: the one that is pinned, else the newest approved one."""
    listed = {file.pk: file for file in files}
    if not listed:
        return {}
    rows = ConfigVersion.objects.filter(file__in=list(listed), status=Status.APPROVED)
    numbered = rows.order_by("file_id", "number").values_list("file_id", "pk")
    wanted = dict(numbered)
    wanted |= {pk: file.pinned_id for pk, file in listed.items() if file.pinned_id}
    versions = ConfigVersion.objects.in_bulk(wanted.values())
    found = {pk: versions[key] for pk, key in wanted.items() if key in versions}
    for pk, version in found.items():
        version.file = listed[pk]
    return found


def version_in_force(file: ConfigFile) -> ConfigVersion | None:
    """Give the version of a file that counts, None where none is approved."""
    return in_force([file]).get(file.pk)


def newest_of(file: ConfigFile) -> ConfigVersion | None:
    """Give the newest version, whether it counts or not."""
    return file.versions.order_by("-number").first()
