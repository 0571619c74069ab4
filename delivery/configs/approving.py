"""Versions of configuration files that wait for approval, for the inbox of approvals: what waits for a person, what the person wrote, what was decided."""

from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from appconf.models import ConfigVersion
from tasks.approvals.beside import Row, Source

WAITS = ConfigVersion.Status.WAITING


def waiting_for(user: Any) -> QuerySet[ConfigVersion]:
    """Give the versions that a user may approve: not those of his or her own, and none where a token speaks."""
    if getattr(user, "token", None) is not None:
        return ConfigVersion.objects.none()
    seen = ConfigVersion.objects.visible_to(user).order_by().values("pk")
    rows = ConfigVersion.objects.visible_to(user, "approve").filter(status=WAITS)
    found = rows.filter(pk__in=seen).exclude(author=user)
    return found.annotate(at=F("created_at"))


def _written_by(user: Any) -> QuerySet[ConfigVersion]:
    """Give what the user wrote and others had to approve, decided ones too."""
    rows = ConfigVersion.objects.visible_to(user).filter(author=user)
    needed = Q(status=WAITS) | Q(decided_at__isnull=False)
    return rows.filter(needed).annotate(at=F("created_at"))


def _decided(user: Any) -> QuerySet[ConfigVersion]:
    """Give what people said yes or no to."""
    rows = ConfigVersion.objects.visible_to(user).filter(decided_at__isnull=False)
    return rows.annotate(at=F("decided_at"))


def _rows(keys: list[int]) -> dict[int, Row]:
    rows = ConfigVersion.objects.filter(pk__in=keys).defer("text")
    return {row.pk: _row(row) for row in rows.select_related("file__project")}


def _row(version: ConfigVersion) -> Row:
    return Row(
        title=_("Configuration %(version)s") % {"version": version},
        url=version.get_absolute_url(),
        state=version.state,
        status=str(version.get_status_display()),
        asked_by=version.author_name,
        rule=_("%(path)s needs approval") % {"path": version.file.path},
        asked_at=version.created_at,
        expires_at=None,
    )


SOURCE = Source(
    shelves={"waiting": waiting_for, "mine": _written_by, "decided": _decided},
    rows=_rows,
)
