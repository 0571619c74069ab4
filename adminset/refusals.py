"""What a refusal says: which permission is missing, in words, and who can give it. The room that knows is named by the settings."""

import logging
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)


def about(user: Any, permission: str) -> dict[str, Any]:
    """Give {"words", "grantors", "more", "url"} of a missing permission; {} where there is none, or nobody can be asked."""
    if "." not in permission:
        return {}
    try:
        told: dict[str, Any] = import_string(settings.PERMISSION_EXPLAINER)(
            user, permission
        )
    except DatabaseError:
        logger.warning("a refusal cannot say who could grant what is missing")
        return {}
    return told


def sentence(told: dict[str, Any], permission: str) -> str:
    """Say it in a line, for machines and for where there is no page."""
    if not told:
        return ""
    missing = _("Missing: %(words)s (%(name)s).") % {
        "words": told["words"],
        "name": permission,
    }
    if not told["grantors"]:
        return missing
    names = ", ".join(told["grantors"])
    return f"{missing} " + _("Who can grant it: %(names)s.") % {"names": names}
