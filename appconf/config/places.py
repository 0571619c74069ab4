"""Several files of one place: which of them takes it on hosts, and whether a file needs approval because another of its place does."""

from collections.abc import Mapping, Sequence

from appconf.models import ConfigFile, ConfigVersion, Environment


def place_of(file: ConfigFile, folder: str) -> str:
    """Give where a file lies when the configuration path is `folder`; its path as it was entered where there is none."""
    if file.path.startswith("/") or not folder:
        return file.path
    return f"{folder.rstrip('/')}/{file.path}"


def rivals_of(file: ConfigFile) -> list[ConfigFile]:
    """List the other files of the project that have the same place in an environment for which both are.

    Args:
        file: as it stands in memory, so that a change can be judged before it is saved.
    """
    own = file.environment_id
    rows = Environment.objects.filter(project=file.project_id)
    listed = rows.select_related("project")
    folders: list[tuple[int | None, str]] = [
        (each.pk, each.config_folder) for each in listed if own in (None, each.pk)
    ]
    if own is None:
        # It counts for environments that are still to come.
        folders.append((None, file.project.config_path))
    others = ConfigFile.objects.filter(project=file.project_id).exclude(pk=file.pk)
    return [
        other
        for other in others.select_related("project")
        if any(
            place_of(other, folder) == place_of(file, folder)
            for key, folder in folders
            if other.environment_id in (None, key)
        )
    ]


def needs_approval(file: ConfigFile) -> bool:
    """Say whether versions of a file need approval: it says so, or another file of its place does."""
    return file.approval or any(other.approval for other in rivals_of(file))


def holder_of(
    files: Sequence[ConfigFile], force: Mapping[int, ConfigVersion]
) -> ConfigFile:
    """Choose which of the files of one place takes it: the environment's own before that of all, the older before the younger.

    A file without a version in force takes nothing. Where one of them needs approval, a text that nobody approved takes
    nothing either: it may have come here by another path, or by another configuration path.
    """
    order = sorted(files, key=lambda file: (file.environment_id is None, file.pk))
    is_guarded = any(file.approval for file in order)
    able = [
        file
        for file in order
        if file.pk in force
        and (not is_guarded or file.approval or _is_decided(file, force[file.pk]))
    ]
    guarding = [file for file in order if file.approval]
    return (able or guarding or order)[0]


def _is_decided(file: ConfigFile, version: ConfigVersion) -> bool:
    """Say whether a person approved or pinned a version; without need for approval it counts by itself."""
    return version.decided_at is not None or file.pinned_id == version.pk
