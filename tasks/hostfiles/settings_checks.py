"""Checks at the start of what the settings say of the files of hosts."""

from typing import Any

from django.conf import settings
from django.core import checks


def check_piece(app_configs: Any, **options: Any) -> list[checks.CheckMessage]:
    """Say where a piece of an upload is larger than a request may be: each would be refused."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    piece = settings.FILES_PIECE_BYTES
    if piece <= most:
        return []
    return [
        checks.Error(
            f"ADMINSET_FILES_PIECE_BYTES is {piece}; a request may have {most} bytes, so no piece of an upload would come through.",
            hint="Set it lower, or ADMINSET_UPLOAD_BYTES higher.",
            id="tasks.E001",
        )
    ]
