"""Which metrics hosts send: what a form offers for a gate."""

from collections.abc import Collection
from typing import Any

from appconf.models import Environment
from monitor.metrics import CATALOGUE
from monitor.prometheus.names import CUSTOM
from monitor.prometheus.whereabouts import metrics_of
from monitor.selectors import watched_hosts
from monitor.store import StoreUnavailable

# Hosts of an environment send much the same: so many are looked at, and so many names are told.
MOST_HOSTS = 100
MOST_NAMES = 500


def offered(user: Any, project_id: int | None) -> list[str]:
    """Name the metrics that the hosts of a project's environments send (None: of all projects), those of their own first.

    Only of environments that a user may see, and hosts whose measurements he may look at.
    """
    environments = Environment.objects.visible_to(user)
    if project_id is not None:
        environments = environments.filter(project=project_id)
    ids: set[int] = set()
    for environment in environments[:MOST_HOSTS]:
        rows = environment.all_hosts().values_list("pk", flat=True)
        ids.update(rows.order_by("pk")[: MOST_HOSTS - len(ids)])
        if len(ids) >= MOST_HOSTS:
            break
    seen = watched_hosts(user).filter(pk__in=ids).values_list("pk", flat=True)
    names = sorted(_sent(list(seen)), key=lambda name: (not _is_own(name), name))
    return [name.removeprefix(CUSTOM) for name in names[:MOST_NAMES]]


def _is_own(name: str) -> bool:
    return name.startswith(CUSTOM)


def _sent(host_ids: Collection[int]) -> list[str]:
    if not host_ids:
        return []
    try:
        found = metrics_of(list(host_ids)[:MOST_HOSTS])
    except StoreUnavailable:
        return []
    return [name for name in found if _is_own(name) or name in CATALOGUE]
