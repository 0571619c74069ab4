"""The configuration of a plan as a reader may know it: where a file lies is told only to who may see the file."""

from collections.abc import Callable, Iterable
from typing import Any

from adminset.querysets import everywhere
from appconf.models import ConfigFile
from delivery.configs.pending import WORDS
from delivery.models import ConfigDrift

# A file of a plan: path, state, drift, file; plans that were kept before states were told have plain paths.
Kept = dict[str, Any] | str
Sees = Callable[[dict[str, Any]], bool]


def shown_config(
    user: Any, rows: Iterable[dict[str, Any]], unpushed: Iterable[Kept]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Narrow the files of a plan's rows, and those that nobody ever pushed, to what a reader may see; the others are counted.

    Returns:
        the rows, with `config` and `config_hidden`, and {"unpushed": paths, "unpushed_hidden": how many others}.
    """
    of_rows = [(row, [_whole(one) for one in row["config"]]) for row in rows]
    never = [_whole(one) for one in unpushed]
    every = [*never, *(one for _row, files in of_rows for one in files)]
    sees = _eyes(user, {one["file"] for one in every})
    found = []
    for row, files in of_rows:
        told = [_told(one) for one in files if sees(one)]
        found.append(row | {"config": told, "config_hidden": len(files) - len(told)})
    paths = [one["path"] for one in never if sees(one)]
    return found, {"unpushed": paths, "unpushed_hidden": len(never) - len(paths)}


def _eyes(user: Any, ids: set[int]) -> Sees:
    """Say of a file whether a user may see it; one of which no number is known is for those who see all."""
    if everywhere(user, "appconf.view_configfile"):
        return lambda _one: True
    rows = ConfigFile.objects.visible_to(user).filter(pk__in=ids)
    known = set(rows.order_by().values_list("pk", flat=True))
    return lambda one: one["file"] in known


def _whole(one: Kept) -> dict[str, Any]:
    told = {"path": one} if isinstance(one, str) else one
    return {"state": "", "drift": None, "file": 0} | told


def _told(one: dict[str, Any]) -> dict[str, Any]:
    words = {**dict(ConfigDrift.State.choices), **WORDS}
    return one | {"words": str(words.get(one["state"], ""))}
