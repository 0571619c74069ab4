"""Reads a project's git repository: branches and tags as the server says them, commits and files by a mirror."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from adminset import audit
from adminset.unseen import visible
from delivery.artefacts.paths import shown
from delivery.sources import git_mirror, git_tree
from delivery.sources.face import (
    BRANCH,
    COMMIT,
    TAG,
    Commit,
    Fetched,
    Page,
    Ref,
    Refs,
    SourceError,
)
from delivery.sources.git_mirror import Repository
from delivery.sources.git_names import refs_of
from delivery.sources.keys import keep_key, known_key
from delivery.sources.origins import ensure_origin, moved
from tasks.git_checks import check_branch, check_git_url, place_of, protocol_of
from tasks.library.git_access import alias_of, learnt_key, workplace
from tasks.library.git_process import Told, Workplace, run

HEX = re.compile(r"[0-9a-f]{7,64}")
# A mirror that is as young is not asked for again, only to turn a page.
YOUNG_SECONDS = 30.0
FORMAT = "%H%x00%an%x00%ae%x00%cI%x00%s"
FIELDS = 5


class GitRepository:
    """The git repository of a project, read for somebody. Every method raises DomainError with what git said."""

    def __init__(
        self,
        project: Any,
        actor: Any,
        told: Told = lambda percent: None,
        seconds: int | None = None,
    ) -> None:
        """Take a project with its source_address and source_credential.

        Args:
            told: called with the percentage of a fetch. seconds: patience, where it is less than the setting's.
        """
        self._project, self._actor, self._told = project, actor, told
        self._limits = git_mirror.limits(seconds)
        self._url = project.source_address

    def refs(self) -> Refs:
        """Ask the server for its branches and tags; nothing is fetched."""
        repository = self._repository()
        with workplace(repository, root=_reads(), limits=self._limits) as place:
            run(place, ["init", "--quiet", "--bare", "--template="])
            asked = ["ls-remote", "--symref", "--end-of-options", self._url]
            raw = run(place, [*asked, "HEAD", "refs/heads/*", "refs/tags/*"])
            self._keep_key(place)
        return refs_of(raw.decode("utf-8", "replace"))

    def commits(self, *, until: Ref, since: str = "", page: int = 1) -> Page:
        """List commits up to `until` that `since` has not; all of them where `since` is unknown there."""
        size = settings.SOURCE_COMMITS
        young = YOUNG_SECONDS if page > 1 else 0.0
        with git_mirror.updated(
            self._repository(), self._limits, self._told, young_seconds=young
        ) as place:
            self._keep_key(place)
            newest = _resolved(place, until)
            older = _commit_or_none(place, since) if HEX.fullmatch(since) else None
            span = [newest, f"^{older}"] if older else [newest]
            total = int(run(place, ["rev-list", "--count", *span, "--"]))
            skip = (max(1, page) - 1) * size
            window = [f"--max-count={size}", f"--skip={skip}"]
            found = _log(place, [*window, *span])
        return Page(found, skip + len(found) < total, total, not since or bool(older))

    def fetch(self, ref: Ref, into: Path, *, at: str = "", origin: str = "") -> Fetched:
        """Lay the files of a reference, or of the commit `at` that it was, into an empty folder."""
        ensure_origin(self._project, origin)
        self._note_use()
        with git_mirror.updated(self._repository(), self._limits, self._told) as place:
            self._keep_key(place)
            commit = _resolved(place, Ref(COMMIT, at) if at else ref)
            if at and commit != at:
                # The first digits of an id may be those of another one later.
                raise moved(_("The commit is not the one that was said yes to."))
            about = _log(place, ["--max-count=1", commit])[0]
            files, size, skipped = git_tree.lay(place, commit, into)
        return Fetched(
            commit,
            about.author,
            about.when,
            about.subject,
            branch=ref.name if ref.kind == BRANCH else "",
            tag=ref.name if ref.kind == TAG else "",
            skipped=[shown(path) for path in skipped[:20]],
            words=f"{self._url} {ref.name}",
            files=files,
            size=size,
        )

    def _repository(self) -> Repository:
        try:
            check_git_url(self._url)
        except ValidationError as error:
            raise SourceError(
                " ".join(error.messages), code="source_refused", status=422
            ) from None
        key = known_key(self._project, self._server()) if self._server() else ""
        return Repository(self._url, self._project.source_credential, key)

    def _server(self) -> str:
        """Name the ssh server as known_hosts does; "" for other protocols."""
        if protocol_of(self._url) != "ssh":
            return ""
        return alias_of(*place_of(self._url))

    def _keep_key(self, place: Workplace) -> None:
        if self._server():
            key = learnt_key(place)
            keep_key(
                actor=self._actor, project=self._project, server=self._server(), key=key
            )

    def _note_use(self) -> None:
        credential = self._project.source_credential
        if credential is not None:
            new = str(self._project)
            changes = [{"field": "project_source", "old": None, "new": new}]
            audit.record(self._actor, "credential.use", credential, changes=changes)


def _reads() -> Path:
    return Path(settings.BUILD_DIR) / "reads"


def _resolved(place: Workplace, ref: Ref) -> str:
    """Give the commit of a reference.

    Raises:
        SourceError: there is none, or the name is none.
    """
    if ref.kind in (BRANCH, TAG):
        try:
            check_branch(ref.name)
        except ValidationError as error:
            raise SourceError(
                " ".join(error.messages), code="bad_ref", status=422
            ) from None
        room = "heads" if ref.kind == BRANCH else "tags"
        found = _commit_or_none(place, f"refs/{room}/{ref.name}")
    elif ref.kind == COMMIT and HEX.fullmatch(ref.name):
        found = _commit_or_none(place, ref.name)
        # A branch may be called like a commit: that is not what was asked for.
        found = found if found and found.startswith(ref.name) else None
    else:
        raise SourceError(
            _("%(name)s is no commit. Write at least 7 of its hexadecimal digits.")
            % {"name": shown(ref.name)},
            code="bad_ref",
            status=422,
        )
    if found is None:
        raise SourceError(
            _("The repository has no %(kind)s %(name)s.")
            % {"kind": ref.kind, "name": shown(ref.name)},
            _("Look at the list of branches and tags."),
            code="no_such_ref",
            status=404,
        )
    return found


def _commit_or_none(place: Workplace, name: str) -> str | None:
    if not (HEX.fullmatch(name) or name.startswith("refs/")):
        return None
    format_ = "--batch-check=%(objectname) %(objecttype)"
    asked = f"{name}^{{commit}}\n".encode()
    answer = run(place, ["cat-file", format_], given=asked).decode("utf-8", "replace")
    commit, _space, kind = answer.strip().partition(" ")
    return commit if kind == "commit" else None


def _log(place: Workplace, arguments: list[str]) -> list[Commit]:
    asked = ["log", "-z", "--no-show-signature", f"--format=tformat:{FORMAT}"]
    raw = run(place, [*asked, *arguments, "--"]).decode("utf-8", "replace")
    parts = raw.split("\0")
    rows = [parts[i : i + FIELDS] for i in range(0, len(parts) - FIELDS + 1, FIELDS)]
    return [
        Commit(
            commit,
            visible(author)[:200],
            visible(mail)[:200],
            _time(when),
            visible(subject)[:300],
        )
        for commit, author, mail, when, subject in rows
    ]


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
