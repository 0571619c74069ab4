"""Keys of the ssh servers that sources are read from: what was shown first has to be shown again."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Forbidden
from adminset.querysets import may
from delivery.source_models import SourceKey


def known_key(project: Any, server: str) -> str:
    """Give the key of a server that a project knows; "" before the first reading."""
    found = SourceKey.objects.filter(project=project, server=server).first()
    return found.key if found else ""


@transaction.atomic
def keep_key(*, actor: Any, project: Any, server: str, key: str) -> None:
    """Keep the key that a server showed when it was read first."""
    if not key or not project.pk:
        return
    _row, made = SourceKey.objects.get_or_create(
        project=project, server=server, defaults={"key": key}
    )
    if made:
        changes = [{"field": "host_key", "old": "", "new": f"{server}: {key}"}]
        audit.record(actor, "source.accept_key", project, changes=changes)


@transaction.atomic
def forget_keys(*, actor: Any, project: Any) -> int:
    """Forget the keys of a project's source, because its server has new ones; give how many.

    Raises:
        Forbidden: the actor may not change the project.
    """
    if not may(actor, "change", project):
        raise Forbidden(_("You may not change this project."), code="source_refused")
    rows = list(SourceKey.objects.filter(project=project))
    for row in rows:
        changes = [{"field": "host_key", "old": f"{row.server}: {row.key}", "new": ""}]
        audit.record(actor, "source.forget_key", project, changes=changes)
        row.delete()
    return len(rows)
