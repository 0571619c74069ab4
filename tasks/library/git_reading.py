"""Reads a repository: the commit of a branch, and files of it. Nothing is checked out, so nothing in it can run."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.unseen import visible
from tasks.library.contents import Commit
from tasks.library.git_process import GitError, Told, Workplace, run

MOST_ENTRIES = 100_000
PLAIN_FILES = ("100644", "100755", "100664")


@dataclass(frozen=True)
class Entry:
    """A file of a commit: its path, the id of its bytes, its size, and whether it is a plain file."""

    path: str
    blob: str
    size: int
    plain: bool


def fetch(place: Workplace, url: str, branch: str, told: Told) -> str:
    """Bring a branch or tag here and give the id of its commit.

    Raises:
        GitError: git failed, or came to a limit.
    """
    run(place, ["init", "--quiet", "--bare", "--template="])
    arguments = [
        "fetch",
        "--progress",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-auto-gc",
        f"--depth={settings.LIBRARY_GIT_DEPTH}",
        "--",
        url,
        branch,
    ]
    run(place, arguments, told=told)
    found = run(place, ["rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}"])
    return found.decode("ascii", "replace").strip()


def commit_of(place: Workplace, key: str) -> Commit:
    """Give a commit with the people whom it names; git proves none of them.

    Raises:
        GitError: git failed.
    """
    wanted = ["log", "-1", "--no-show-signature", "--format=%an%x00%ae%x00%cn%x00%ce"]
    raw = run(place, [*wanted, key]).decode("utf-8", "replace").strip("\n")
    author, mail, committer, other = [visible(part)[:200] for part in raw.split("\0")]
    people = [{"name": author, "email": mail}, {"name": committer, "email": other}]
    return Commit(key, tuple(people[:1] if people[0] == people[1] else people))


def entries(place: Workplace, commit: str, path: str) -> list[Entry]:
    """List the files at or under a path of a commit; empty where there is none."""
    arguments = ["ls-tree", "-r", "-z", "-l", "--full-tree", commit]
    raw = run(place, [*arguments, "--", path] if path else arguments)
    lines = [line for line in raw.split(b"\x00") if line]
    if len(lines) > MOST_ENTRIES:
        raise GitError(
            _("The repository has more than %(most)s files.") % {"most": MOST_ENTRIES}
        )
    return [entry for line in lines if (entry := _entry(line)) is not None]


def _entry(line: bytes) -> Entry | None:
    head, _tab, path = line.partition(b"\t")
    mode, kind, blob, size = head.decode("ascii", "replace").split()
    if kind != "blob":
        return None
    try:
        name = path.decode("utf-8")
    except UnicodeDecodeError:
        name = path.decode("utf-8", "replace")
        return Entry(name, blob, int(size), plain=False)
    return Entry(name, blob, int(size), plain=mode in PLAIN_FILES)


def blobs_of(place: Workplace, found: Iterable[Entry]) -> dict[str, bytes]:
    """Read files: {path: bytes}. The caller has looked at their sizes."""
    listed = list(found)
    if not listed:
        return {}
    asked = "".join(f"{entry.blob}\n" for entry in listed).encode("ascii")
    raw = run(place, ["cat-file", "--batch"], given=asked)
    read, at = {}, 0
    for entry in listed:
        end = raw.index(b"\n", at)
        head = raw[at:end].split()
        if len(head) != 3 or head[1] != b"blob":
            raise GitError(
                _("%(path)s could not be read.") % {"path": entry.path[:200]}
            )
        size = int(head[2])
        read[entry.path] = raw[end + 1 : end + 1 + size]
        at = end + 2 + size
    return read
