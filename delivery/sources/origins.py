"""Where a commit was found: what people said yes to is read from there, or not at all."""

from typing import Any

from django.utils.translation import gettext as _

from delivery.sources.face import UPLOAD, SourceError


def origin_of(project: Any, ref_kind: str = "") -> str:
    """Name what a project is read from now: kind, credential and address of its source; of uploads they are the project's own."""
    kind = project.source_type
    if UPLOAD in (kind, ref_kind):
        return UPLOAD
    credential = project.source_credential_id or "-"
    return f"{kind} {credential} {project.source_address}"


def ensure_origin(project: Any, origin: str, ref_kind: str = "") -> None:
    """See that a project is still read from where a commit was found.

    Args:
        origin: what origin_of said then; "" where nobody asked.

    Raises:
        SourceError: its source has another kind, credential or address by now.
    """
    if origin and origin != origin_of(project, ref_kind):
        raise moved(_("The source of the project was changed since somebody said yes."))


def moved(words: str) -> SourceError:
    """Refuse to read something else than what was said yes to."""
    hint = _("Make a new plan.")
    return SourceError(words, hint, code="source_changed", status=409)
