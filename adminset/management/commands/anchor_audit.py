"""`manage.py anchor_audit`: writes the audit trail's last seal to the anchor file and posts it to the anchor's address, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from adminset import audit_anchors
from adminset.errors import DomainError


class Command(BaseCommand):
    """Anchors the trail, whether or not a day has gone by."""

    help = "Write down the audit trail's last seal elsewhere (ADMINSET_AUDIT_ANCHOR_FILE, ADMINSET_AUDIT_ANCHOR_URL)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Anchor, and say where."""
        places = audit_anchors.places()
        if not places:
            raise CommandError(
                "There is no place for anchors. Set ADMINSET_AUDIT_ANCHOR_FILE or ADMINSET_AUDIT_ANCHOR_URL."
            )
        try:
            made = audit_anchors.anchor(list(places))
        except DomainError as error:
            raise CommandError(f"{error.message} {error.hint}") from error
        # The address of a web-hook is often its secret.
        where = [_said(kind, place) for kind, place in places.items()]
        self.stdout.write(
            f"Place {made['position']:,} is anchored in {', '.join(where)}."
        )


def _said(kind: str, place: str) -> str:
    """Say where an anchor went without giving a web-hook's address away."""
    return place if kind == "file" else "ADMINSET_AUDIT_ANCHOR_URL"
