"""Makes a role or a file together with the archive or the bytes that were sent with it: both or neither."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from adminset.errors import DomainError, Forbidden
from adminset.querysets import may
from tasks.library import blobs, contents
from tasks.library.archives import role_files
from tasks.library.items import save_item
from tasks.library.writing import add_version
from tasks.library_models import LibraryItem


@transaction.atomic
def add_role(*, actor: Any, form: Any) -> LibraryItem:
    """Save a new role; an archive that was sent along is its first version.

    Raises:
        DomainError, ValidationError: the archive is refused; nothing is kept.
    """
    upload = _upload(form)
    role = save_item(actor=actor, form=form)
    _ensure_own(actor, role)
    if upload is not None:
        files = role_files(upload.file, upload.size)
        content, note = contents.of_files(files), form.cleaned_data["note"]
        add_version(actor=actor, item=role, content=content, note=note)
    return role


@transaction.atomic
def add_file(*, actor: Any, form: Any) -> LibraryItem:
    """Save a new file; bytes that were sent along are its first version.

    Raises:
        DomainError: they are too many; nothing is kept.
    """
    upload = _upload(form)
    file = save_item(actor=actor, form=form)
    _ensure_own(actor, file)
    if upload is not None:
        kept = blobs.keep(upload.chunks(), settings.LIBRARY_FILE_BYTES)
        content, note = contents.of_bytes(*kept), form.cleaned_data["note"]
        add_version(actor=actor, item=file, content=content, note=note)
    return file


def _upload(form: Any) -> Any:
    upload = form.cleaned_data.get("upload")
    if upload is not None and form.cleaned_data.get("git_source"):
        raise DomainError(
            _("Choose one of both: an upload, or a git repository."),
            fields={"upload": _("Leave this empty, or choose no repository.")},
        )
    return upload


def _ensure_own(actor: Any, item: LibraryItem) -> None:
    """The library has no scope: with a permission for some objects only nobody adds to it."""
    if not may(actor, "add", item):
        raise Forbidden(
            _("You may not add to the library."),
            _("Ask for a grant on everything."),
            code="out_of_scope",
        )
