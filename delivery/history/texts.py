"""One file of two artefacts side by side, line by line, where it is a text that can be read on a page."""

from adminset.text_diffs import FileDiff, compare_texts
from delivery.artefacts import store
from delivery.artefacts.manifests import Manifest

MOST_BYTES = 256 * 1024


def text_of(manifest: Manifest, path: str) -> tuple[str | None, str]:
    """Give the text of a file and why there is none: "binary" or "long"; (None, "") where the artefact has no such file."""
    entry = manifest.files.get(path)
    if entry is None:
        return None, ""
    if entry.size > MOST_BYTES:
        return None, "long"
    data = store.blob_path(entry.sha256).read_bytes()[: MOST_BYTES + 1]
    if b"\0" in data:
        return None, "binary"
    try:
        return data.decode(), ""
    except UnicodeDecodeError:
        return None, "binary"


def diff_of(was: Manifest, now: Manifest, path: str) -> FileDiff | None:
    """Compare one file of two artefacts; None where neither has it."""
    if path not in was.files and path not in now.files:
        return None
    (older, no_older), (newer, no_newer) = text_of(was, path), text_of(now, path)
    if no_older or no_newer:
        state = "changed" if path in was.files and path in now.files else ""
        state = state or ("removed" if path in was.files else "added")
        return FileDiff(path, state, why=no_older or no_newer)
    return compare_texts(path, older, newer)
