"""Reads git repositories into the library: asked for by a person, done by a worker, each new content a version with its commit."""

import logging
import os
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.limits import is_limited
from adminset import audit
from adminset.crud import services as crud
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import everywhere, may
from tasks.checks import checked_yaml
from tasks.gitsource_models import GitSource
from tasks.library import blobs, contents, git_reading
from tasks.library.contents import Content
from tasks.library.git_access import learnt_key, workplace
from tasks.library.git_process import Workplace
from tasks.library.writing import add_version
from tasks.library_models import LibraryItem, Playbook, Role, Script, StoredFile

logger = logging.getLogger(__name__)

KINDS: tuple[type[LibraryItem], ...] = (Script, Playbook, Role, StoredFile)
State = GitSource.State
FETCH = "tasks.fetch_gitsource"
PROBLEMS_TOLD = 3


def items_of(source: GitSource) -> list[LibraryItem]:
    """List the items of the library that are read from a repository."""
    rows = [model._default_manager.filter(git_source=source) for model in KINDS]
    return [item for found in rows for item in found]


@transaction.atomic
def save_source(*, actor: Any, form: Any) -> GitSource:
    """Save a repository. Another address forgets the key of the server and what was read.

    Raises:
        Forbidden: the actor may not use the credential that the (new) address would be given.
    """
    source = form.instance
    moved = {"url", "credential"} & set(form.changed_data)
    if source.credential_id and moved and not may(actor, "use", source.credential):
        raise Forbidden(
            _("You may not use the credential %(name)s.") % {"name": source.credential},
            _("Ask for the permission to use it (cmdb.use_credential)."),
            code="credential_refused",
        )
    if "url" in form.changed_data and "host_key" not in form.changed_data:
        source.host_key = ""
    saved: GitSource = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    return saved


@transaction.atomic
def request_fetch(*, actor: Any, source: GitSource) -> GitSource:
    """Note that a repository should be read, as the actor: what is new in it will be versions of his or hers.

    Raises:
        Forbidden: the actor may not fetch, or speaks by a token with limits.
        Conflict: it is being fetched.
    """
    if not everywhere(actor, FETCH) or is_limited(actor):
        raise Forbidden(
            _("You may not fetch git repositories."),
            _(
                "Ask for the permission %(permission)s; a token with limits never has it."
            )
            % {"permission": FETCH},
            code="fetch_refused",
        )
    held = GitSource.objects.select_for_update().get(pk=source.pk)
    if held.is_open and not is_stale(held):
        raise Conflict(
            _("%(name)s is being fetched already.") % {"name": held},
            _("Wait until that has ended."),
            code="fetching",
        )
    _mark(held, State.WAITING, asked_by=actor, asked_at=timezone.now(), message="")
    audit.record(actor, "gitsource.fetch", held)
    return held


def is_stale(source: GitSource) -> bool:
    """Say whether a worker that had it must be dead: no reading takes so long."""
    limit = timedelta(seconds=2 * settings.LIBRARY_GIT_SECONDS + 600)
    return source.asked_at is None or source.asked_at < timezone.now() - limit


def fetch_source(*, pk: int) -> None:
    """Read a repository that waits; a second message for it finds nothing to do. How it went stands on its page."""
    taken = GitSource.objects.filter(pk=pk, state=State.WAITING)
    if not taken.update(state=State.RUNNING, percent=None, message=""):
        return
    source = GitSource.objects.select_related("credential", "asked_by").get(pk=pk)
    try:
        _fetch(source)
    except DomainError as error:
        _fail(source, f"{error.message} {error.hint}".strip())
    except Exception:
        logger.exception("git repository %s could not be read", pk)
        _fail(source, _("Something went wrong inside the portal; its log says what."))


def no_worker(*, pk: int) -> None:
    """Say on its page that nobody could be called to read a repository."""
    source = GitSource.objects.filter(pk=pk, state=State.WAITING).first()
    if source is not None:
        _fail(source, _("No worker could be called: Redis is away. Fetch again later."))


def _fail(source: GitSource, sentence: str) -> None:
    with transaction.atomic():
        _mark(source, State.FAILED, message=sentence[:500], percent=None)
        actor = source.asked_by or audit.SystemActor("git")
        audit.record(actor, "gitsource.fail", source, reason=sentence[:500])


def _mark(source: GitSource, state: str, **values: Any) -> None:
    source.state = state
    for name, value in values.items():
        setattr(source, name, value)
    source.save(update_fields=["state", *values])


def _tell(source: GitSource, message: str, percent: int | None) -> None:
    GitSource.objects.filter(pk=source.pk).update(
        message=message[:500], percent=percent
    )


def _fetch(source: GitSource) -> None:
    actor = source.asked_by
    if actor is None or not actor.is_active or not everywhere(actor, FETCH):
        raise Forbidden(
            _("The one who asked for it may not fetch git repositories any more.")
        )
    if source.credential is not None:
        changes = [{"field": "git_source", "old": None, "new": str(source)}]
        audit.record(actor, "credential.use", source.credential, changes=changes)
    with workplace(source) as place:
        _tell(source, _("Asking the server"), None)
        commit = git_reading.fetch(
            place,
            source.url,
            source.branch,
            lambda percent: _tell(source, _("Fetching"), percent),
        )
        _keep_key(actor, source, learnt_key(place))
        made, problems = _take_all(actor, source, place, commit)
    _finish(actor, source, commit, made, problems)


def _keep_key(actor: Any, source: GitSource, key: str) -> None:
    """Keep the key that an ssh server showed when it was asked first: from now on it has to show the same."""
    if source.host_key.strip() or not key:
        return
    with transaction.atomic():
        source.host_key = key
        source.save(update_fields=["host_key"])
        changes = [{"field": "host_key", "old": "", "new": key}]
        audit.record(actor, "gitsource.accept_key", source, changes=changes)


def _take_all(
    actor: Any, source: GitSource, place: Workplace, commit: str
) -> tuple[int, list[str]]:
    """Make versions of what is new: (how many, what could not be taken, in sentences)."""
    items, made, problems = items_of(source), 0, []
    at = git_reading.commit_of(place, commit)
    for number, item in enumerate(items):
        _tell(
            source,
            _("Reading %(number)s of %(count)s items")
            % {"number": number + 1, "count": len(items)},
            100 * number // len(items),
        )
        try:
            content = _content(place, commit, item)
            note = _("from %(name)s") % {"name": source}
            version = add_version(
                actor=actor, item=item, content=content, note=note, commit=at
            )
            made += version is not None
        except ValidationError as error:
            problems.append(f"{item}: {' '.join(error.messages)}")
        except DomainError as error:
            problems.append(f"{item}: {error.message}")
    return made, problems


def _finish(
    actor: Any, source: GitSource, commit: str, made: int, problems: list[str]
) -> None:
    words = ngettext(
        "%(count)s new version at %(commit)s.",
        "%(count)s new versions at %(commit)s.",
        made,
    ) % {"count": made, "commit": commit[:12]}
    told = " ".join([words, *problems[:PROBLEMS_TOLD]])[:500]
    state = State.FAILED if problems else State.OK
    with transaction.atomic():
        old = source.commit
        values = {"commit": commit, "fetched_at": timezone.now(), "percent": None}
        _mark(source, state, message=told, **values)
        changes = [{"field": "commit", "old": old, "new": commit}]
        audit.record(actor, "gitsource.fetched", source, changes=changes, reason=told)


def _content(place: Workplace, commit: str, item: LibraryItem) -> Content:
    """Read what an item's path holds at a commit.

    Raises:
        ValidationError, DomainError: it is not there, or not what such an item can be.
    """
    if isinstance(item, Role):
        return _role(place, commit, item)
    path = item.git_path
    found = [e for e in git_reading.entries(place, commit, path) if e.path == path]
    if not path or not found or not found[0].plain:
        raise DomainError(
            _("There is no plain file %(path)s at this commit.") % {"path": path}
        )
    file = isinstance(item, StoredFile)
    most = settings.LIBRARY_FILE_BYTES if file else settings.LIBRARY_TEXT_BYTES
    if found[0].size > most:
        raise DomainError(
            _("%(path)s is larger than %(most)s KiB.")
            % {"path": path, "most": most // 1024}
        )
    raw = git_reading.blobs_of(place, found)[path]
    if file:
        return contents.of_bytes(*blobs.keep([raw], most))
    text = as_text(path, raw)
    contents.check_text(text)
    if isinstance(item, Playbook):
        checked_yaml(text)
        Playbook(name=item.name, content=text).clean_fields(exclude=["name"])
    return contents.of_text(text)


def _role(place: Workplace, commit: str, item: Role) -> Content:
    folder = item.git_path.rstrip("/")
    found = git_reading.entries(place, commit, folder)
    odd = [entry.path for entry in found if not entry.plain]
    if odd:
        raise DomainError(
            _("%(path)s is a link; a role has plain files only.")
            % {"path": odd[0][:200]}
        )
    inside = [e for e in found if not folder or e.path.startswith(f"{folder}/")]
    if len(inside) > settings.LIBRARY_ROLE_FILES or (
        sum(entry.size for entry in inside) > settings.LIBRARY_ROLE_BYTES
    ):
        raise DomainError(_("The role has too many files, or they are too large."))
    raw = git_reading.blobs_of(place, inside)
    start = len(folder) + 1 if folder else 0
    files = {path[start:]: as_text(path, data) for path, data in raw.items()}
    contents.check_files(files)
    return contents.of_files(files)


def as_text(path: str, raw: bytes) -> str:
    """Read bytes as text; DomainError says which file is none."""
    try:
        return contents.with_plain_ends(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise DomainError(
            _("%(path)s is no text in UTF-8.") % {"path": os.fspath(path)[:200]}
        ) from None
