"""Reads what svn prints: folders with their revisions, commits, all of it as XML that svn itself writes."""

from datetime import datetime
from xml.etree import ElementTree

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from adminset.unseen import visible
from delivery.sources.face import Commit, SourceError
from delivery.sources.svn_access import Svn, address_of
from tasks.git_checks import check_branch


def listed(svn: Svn, path: str) -> list[tuple[str, str]]:
    """List the folders below a path: (name, revision). Names that cannot be asked for are left out."""
    raw = svn.run("list", "--xml", address_of(svn.url, path))
    found = []
    for entry in _xml(raw).iter("entry"):
        name, commit = entry.findtext("name", ""), entry.find("commit")
        if entry.get("kind") != "dir" or commit is None:
            continue
        try:
            check_branch(name)
        except ValidationError:
            continue
        found.append((name, commit.get("revision", "0")))
    return found


def commits_of(raw: bytes) -> list[Commit]:
    """Read what `svn log --xml` prints."""
    return [
        Commit(
            entry.get("revision", ""),
            visible(entry.findtext("author", ""))[:200],
            "",
            _time(entry.findtext("date", "")),
            visible(entry.findtext("msg", "").strip().partition("\n")[0])[:300],
        )
        for entry in _xml(raw).iter("logentry")
    ]


def revision_of(raw: bytes) -> str:
    """Read the revision that `svn info --xml` prints."""
    entry = _xml(raw).find("entry/commit")
    return entry.get("revision", "") if entry is not None else ""


def _xml(raw: bytes) -> ElementTree.Element:
    # svn itself writes it, and escapes what the server said; it declares no entities.
    try:
        return ElementTree.fromstring(raw)  # noqa: S314 - see above
    except ElementTree.ParseError as error:
        raise SourceError(_("svn's answer could not be read.")) from error


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
