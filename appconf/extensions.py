"""Where rooms above say what is live where, and hang their tabs and buttons on pages of applications: in apps.ready()."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adminset.crud.resource import Action, Panel


@dataclass(frozen=True)
class Live:
    """What runs on a host of an environment.

    Attributes:
        release: its name, such as "41-9f3c02aa".
        state: one of the five colours; `words` says why.
        url: page about it.
        since: when it was switched to.
    """

    release: str
    state: str = "ok"
    words: str = ""
    url: str = ""
    since: datetime | None = None


# (key of the environment, key of the host) -> what is live there.
Found = Mapping[tuple[int, int], Live]
live_releases: list[Callable[[Any, Sequence[Any]], Found]] = []
# (user, package) -> [(host, version)] of what agents report, of hosts that the user may see.
installed_on: list[Callable[[Any, Any], Sequence[tuple[Any, str]]]] = []
project_panels: list[Panel] = []
project_actions: list[Action] = []
environment_panels: list[Panel] = []
environment_actions: list[Action] = []
# (user, form) before an environment that is there is saved: raises Forbidden where a room above guards what would change.
before_environment: list[Callable[[Any, Any], None]] = []


def live(user: Any, environments: Sequence[Any]) -> dict[tuple[int, int], Live]:
    """Ask all rooms what is live on the hosts of some environments."""
    found: dict[tuple[int, int], Live] = {}
    for ask in live_releases:
        found.update(ask(user, environments))
    return found
