"""Reads a project's svn repository: trunk, branches and tags below its address, revisions, and one of them without .svn."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from adminset import audit
from delivery.artefacts.paths import shown
from delivery.sources import git_mirror
from delivery.sources.face import (
    BRANCH,
    COMMIT,
    TAG,
    Fetched,
    Named,
    Page,
    Ref,
    Refs,
    SourceError,
)
from delivery.sources.git_mirror import Repository
from delivery.sources.keys import keep_key, known_key
from delivery.sources.origins import ensure_origin
from delivery.sources.svn_access import Svn, address_of, workplace
from delivery.sources.svn_reading import commits_of, listed, revision_of
from tasks.git_checks import check_branch
from tasks.library.git_access import alias_of, learnt_key
from tasks.library.git_process import GitError, too_large

TRUNK = "trunk"
# The address itself, where it has no trunk.
WHOLE = "HEAD"
REVISION = re.compile(r"r?([0-9]{1,9})")
MOST_COUNTED = 5000
NOT_THERE = ("E200009", "E160013", "E170000")


class SvnRepository:
    """The svn repository of a project, read for somebody. Every method raises DomainError with what svn said."""

    def __init__(self, project: Any, actor: Any, seconds: int | None = None) -> None:
        self._project, self._actor = project, actor
        self._limits = git_mirror.limits(seconds)
        self._url = project.source_address

    def refs(self) -> Refs:
        """List trunk, branches and tags; an address without trunk is one branch, HEAD."""
        with workplace(self._repository(), self._limits) as svn:
            top = dict(listed(svn, ""))
            self._keep_key(svn)
            branches = [Named(TRUNK, top[TRUNK])] if TRUNK in top else []
            if not branches:
                info = svn.run("info", "--xml", address_of(svn.url, ""))
                branches = [Named(WHOLE, revision_of(info))]
            rooms = {
                room: [Named(*each) for each in listed(svn, room)]
                for room in ("branches", "tags")
                if room in top
            }
        most = settings.SOURCE_REFS
        branches += rooms.get("branches", [])
        tags = sorted(rooms.get("tags", []), key=lambda tag: -int(tag.commit))
        cut = len(branches) > most or len(tags) > most
        return Refs(branches[:most], tags[:most], branches[0].name, cut)

    def commits(self, *, until: Ref, since: str = "", page: int = 1) -> Page:
        """List revisions up to `until` that are younger than the revision `since`."""
        size, page = settings.SOURCE_COMMITS, max(1, page)
        known = REVISION.fullmatch(since)
        with workplace(self._repository(), self._limits) as svn:
            path, revision = _place_of(svn, until)
            last = str(int(known[1]) + 1) if known else "1"
            span = f"{'HEAD' if revision is None else revision}:{last}"
            try:
                asked = ["--xml", "--limit", str(MOST_COUNTED), "--revision", span]
                raw = svn.run("log", *asked, address_of(svn.url, path, revision))
            except GitError as error:
                # Where nothing is younger than the live one, svn says there is no such revision.
                if known and "E160006" in error.message:
                    return Page([], False, 0)
                raise
            self._keep_key(svn)
        found = [c for c in commits_of(raw) if not known or int(c.id) > int(known[1])]
        shown_part = found[(page - 1) * size : page * size]
        more = len(found) > page * size
        return Page(shown_part, more, len(found), not since or bool(known))

    def fetch(self, ref: Ref, into: Path, *, at: str = "", origin: str = "") -> Fetched:
        """Lay the files of a reference, as they were at revision `at`, into an empty folder; externals are left out."""
        ensure_origin(self._project, origin)
        self._note_use()
        with workplace(self._repository(), self._limits) as svn:
            path, revision = _place_of(svn, ref)
            if at:
                revision = _place_of(svn, Ref(COMMIT, f"{TRUNK}@{at}"))[1]
            peg = address_of(svn.url, path, revision)
            asked = ["--xml", "--limit", "1"]
            about = commits_of(svn.run("log", *asked, peg))
            if not about:
                raise _no_such(ref)
            number = revision if revision is not None else int(about[0].id)
            # Watched while it grows.
            svn.place.objects = into
            address = address_of(svn.url, path, number)
            svn.run(
                "export",
                "--quiet",
                "--force",
                "--ignore-externals",
                "--revision",
                str(number),
                address,
                str(into),
            )
            self._keep_key(svn)
        sizes, folders = _measured(into)
        if sum(sizes) > self._limits.size:
            raise too_large(self._limits)
        if len(sizes) + folders > settings.ARTEFACT_FILES:
            raise SourceError(
                _("There are more than %(most)s files.")
                % {"most": settings.ARTEFACT_FILES},
                _("Use a smaller repository, or raise ADMINSET_ARTEFACT_FILES."),
                code="too_many_files",
                status=422,
            )
        return Fetched(
            str(number),
            about[0].author,
            about[0].when,
            about[0].subject,
            branch=ref.name if ref.kind == BRANCH else "",
            tag=ref.name if ref.kind == TAG else "",
            words=f"{self._url} {ref.name}",
            files=len(sizes),
            size=sum(sizes),
        )

    def _repository(self) -> Repository:
        key = known_key(self._project, self._server()) if self._server() else ""
        return Repository(self._url, self._project.source_credential, key)

    def _server(self) -> str:
        try:
            parts = urlsplit(self._url)
            if parts.scheme != "svn+ssh":
                return ""
            return alias_of(parts.hostname or "", parts.port or 22)
        except ValueError:
            return ""

    def _keep_key(self, svn: Svn) -> None:
        if self._server():
            key = learnt_key(svn.place)
            keep_key(
                actor=self._actor, project=self._project, server=self._server(), key=key
            )

    def _note_use(self) -> None:
        credential = self._project.source_credential
        if credential is not None:
            new = str(self._project)
            changes = [{"field": "project_source", "old": None, "new": new}]
            audit.record(self._actor, "credential.use", credential, changes=changes)


def _measured(folder: Path) -> tuple[list[int], int]:
    """Give the bytes of each file below a folder, and how many folders there are."""
    sizes, count = list[int](), 0
    for root, folders, names in os.walk(folder):
        count += len(folders)
        sizes += [Path(root, name).lstat().st_size for name in names]
    return sizes, count


def _place_of(svn: Svn, ref: Ref) -> tuple[str, int | None]:
    """Give the path below the address and the revision of a reference; `branches/x@12` of a commit names its branch too.

    Raises:
        SourceError: the name is none.
    """
    if ref.kind == COMMIT:
        name, _at, revision = ref.name.rpartition("@")
        found = REVISION.fullmatch(revision)
        if not found:
            raise SourceError(
                _("%(name)s is no revision.") % {"name": shown(ref.name)},
                _("Write its number, or branch@number."),
                code="bad_ref",
                status=422,
            )
        number = int(found[1])
        return _path_of(Ref(BRANCH, name or _main(svn, number))), number
    return _path_of(ref), None


def _main(svn: Svn, revision: int) -> str:
    """Say which branch a revision without one means: trunk, where there is one."""
    try:
        svn.run("info", "--xml", address_of(svn.url, TRUNK, revision))
    except GitError as error:
        if any(code in error.message for code in NOT_THERE):
            return WHOLE
        raise
    return TRUNK


def _path_of(ref: Ref) -> str:
    if ref.kind not in (BRANCH, TAG):
        raise _no_such(ref)
    if ref.kind == BRANCH and ref.name == WHOLE:
        return ""
    if ref.kind == BRANCH and ref.name == TRUNK:
        return TRUNK
    try:
        check_branch(ref.name)
    except ValidationError as error:
        raise SourceError(
            " ".join(error.messages), code="bad_ref", status=422
        ) from None
    return f"{'branches' if ref.kind == BRANCH else 'tags'}/{ref.name}"


def _no_such(ref: Ref) -> SourceError:
    return SourceError(
        _("The repository has no %(kind)s %(name)s.")
        % {"kind": ref.kind, "name": shown(ref.name)},
        _("Look at the list of branches and tags."),
        code="no_such_ref",
        status=404,
    )
