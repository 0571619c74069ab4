"""Tells the audit trail what was done with a file of a host: path, size, hash, and what the act needs besides."""

from typing import Any

from adminset import audit
from adminset.audit import change_of
from tasks.hostfiles import paths
from tasks.hostfiles.access import Place


def tell(place: Place, act: str, path: bytes, **values: Any) -> None:
    """Write one line: `act` is the word behind the dot ("upload").

    Args:
        values: what else is known, such as size (bytes) and sha256; bytes are paths. None is left out.
    """
    told: dict[str, Any] = {"path": paths.shown(path)}
    if _is_bent(path):
        told["path_encoded"] = paths.written(path)
    for name, value in values.items():
        told[name] = paths.shown(value) if isinstance(value, bytes) else value
    changes = [change_of(name, None, v) for name, v in told.items() if v is not None]
    audit.record(
        place.actor,
        f"hostfile.{act}",
        place.host,
        changes=changes,
        reason=place.reason,
    )


def tell_look(place: Place, path: bytes) -> None:
    """Tell that somebody looked into a folder, once in a while."""
    if audit.is_news("hostfile.list", place.actor.pk, place.host.pk, path):
        tell(place, "list", path)


def _is_bent(path: bytes) -> bool:
    """Whether the shown form is not the path itself."""
    return paths.shown(path).encode("utf-8", "replace") != path
