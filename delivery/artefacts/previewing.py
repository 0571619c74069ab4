"""What rules would take of a folder, before anything is taken: how many files, how large, and where the bulk lies."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.artefacts.rules import Rules
from delivery.artefacts.walking import found_below

FOLDERS_TOLD = 20
FILES_TOLD = 200


@dataclass
class Preview:
    """What rules take of a folder.

    Attributes:
        files, size: taken; left_files, left_size: not taken. folders: the largest (path, files, bytes), two levels deep.
        names: the first paths that are taken.
    """

    files: int = 0
    size: int = 0
    left_files: int = 0
    left_size: int = 0
    folders: list[tuple[str, int, int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


def preview(folder: Path, rules: Rules) -> Preview:
    """Count what rules would take of a folder; nothing is read but names and sizes.

    Raises:
        DomainError: the folder cannot be read.
    """
    told, counts, sizes = Preview(), Counter[str](), Counter[str]()
    everything = Rules()
    try:
        for found in found_below(folder, everything, most=None):
            if not rules.takes(found.path):
                told.left_files += 1
                told.left_size += found.size
                continue
            told.files += 1
            told.size += found.size
            if len(told.names) < FILES_TOLD:
                told.names.append(found.path)
            top = "/".join(found.path.split("/")[:-1][:2]) or "."
            counts[top] += 1
            sizes[top] += found.size
    except OSError as error:
        raise DomainError(_("The folder cannot be read.")) from error
    largest = sizes.most_common(FOLDERS_TOLD)
    told.folders = [(name, counts[name], size) for name, size in largest]
    return told
