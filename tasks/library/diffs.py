"""Compares two versions of one item of the library: of a role file by file, of others as one text."""

from adminset.text_diffs import FileDiff, compare_texts
from tasks.library.storing import PREVIEW_BYTES, preview_of
from tasks.library_models import Version


def compare(older: Version, newer: Version) -> list[FileDiff]:
    """Compare two versions of one item: of a role file by file, of others as one; nothing where they are the same."""
    if older.sha256 == newer.sha256:
        return []
    if newer.role_id is not None:
        return _roles(older.files, newer.files)
    if newer.file_id is not None:
        return [_bytes(older, newer)]
    return [compare_texts("", older.text, newer.text)]


def _roles(older: dict[str, str], newer: dict[str, str]) -> list[FileDiff]:
    paths = sorted({*older, *newer})
    changed = [path for path in paths if older.get(path) != newer.get(path)]
    return [compare_texts(path, older.get(path), newer.get(path)) for path in changed]


def _bytes(older: Version, newer: Version) -> FileDiff:
    texts = [preview_of(version) for version in (older, newer)]
    if any(text is None for text in texts):
        return FileDiff("", "changed", why="binary")
    if max(older.size, newer.size) > PREVIEW_BYTES:
        return FileDiff("", "changed", why="long")
    old, new = (text[0] for text in texts if text is not None)
    return compare_texts("", old, new)
