"""Local users that have a shell."""

from typing import List, NamedTuple

from agent.files import read_text
from agent.tables import Found, table

PASSWD = "/etc/passwd"  # noqa: S105 - a file that everybody may read
COLUMNS = ("name", "uid", "shell")
# Their last part; the empty one is /bin/sh.
NO_SHELL = ("nologin", "false", "sync", "halt", "shutdown")
MOST_USERS = 500


class User(NamedTuple):
    name: str
    uid: int
    shell: str


def collect() -> Found:
    found = with_shell()
    return Found([table("users", COLUMNS, found)] if found else [])


def with_shell() -> List[User]:
    """From /etc/passwd alone: asking NSS could list a whole company's directory."""
    found = []
    for line in (read_text(PASSWD) or "").splitlines():
        words = line.split(":")
        if len(words) != 7 or not words[2].isdigit():
            continue
        shell = words[6].strip() or "/bin/sh"
        if shell.rsplit("/", 1)[-1] not in NO_SHELL:
            found.append(User(words[0], int(words[2]), shell))
    return sorted(found, key=lambda user: user.uid)[:MOST_USERS]
