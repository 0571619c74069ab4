"""A file on its way to a host, and the scripts that look at its place there and put it in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

MODE = re.compile(r"[0-7]{3,4}", re.ASCII)
OWNER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+\\-]{0,99}", re.ASCII)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# $1 the path. Prints the SHA-256, mode, owner and group (names, then numbers), or "absent".
LOOK = r"""
path=$1 parent=${1%/*}
[ -d "${parent:-/}" ] || { echo "the folder ${parent:-/} is not there" >&2; exit 3; }
[ ! -L "$path" ] || { echo "it is a symbolic link there; name the file it leads to" >&2; exit 3; }
[ -e "$path" ] || { echo absent; exit 0; }
[ -f "$path" ] || { echo "something else than a file is there" >&2; exit 3; }
sum=$(sha256sum <"$path") || exit 3
echo "${sum%% *} $(stat -c '%a %U %G %u %g' -- "$path")"
"""
# $1 the path, $2 owner, $3 group, $4 mode, each empty where it stays.
_OWN = r"""
own() {
  [ -z "$2" ] || chown -- "$2" "$1" || exit 4
  [ -z "$3" ] || chgrp -- "$3" "$1" || exit 4
  [ -z "$4" ] || chmod -- "$4" "$1" || exit 4
}
"""
MEND = _OWN + 'own "$1" "$2" "$3" "$4"\n'
# $1 a mark, $2 empty where the content comes on stdin behind the mark, $3 the temporary name, $4 the path, $5 the SHA-256,
# $6 owner, $7 group, $8 mode, $9 the time of day for the copy of what was there, or empty. Where nothing is said of owner
# and mode those of the old file stay.
PLACE = (
    _OWN
    + r"""
new=$3 path=$4 owner=$6 group=$7 mode=$8
umask 077
trap 'rm -f -- "$new"' EXIT
trap 'exit 143' HUP INT TERM
if [ -z "$2" ]; then
  while IFS= read -r line; do [ "$line" = "$1" ] && break; done
  (set -C; cat >"$new") || exit 5
fi
sum=$(sha256sum <"$new") || exit 5
[ "${sum%% *}" = "$5" ] || { echo "what arrived is not what was sent (SHA-256 ${sum%% *})" >&2; exit 5; }
if [ -f "$path" ]; then
  [ "$owner" ] || owner=$(stat -c %u -- "$path")
  [ "$group" ] || group=$(stat -c %g -- "$path")
  [ "$mode" ] || mode=$(stat -c %a -- "$path")
  [ "$owner$6" = "$(stat -c %u -- "$new")" ] && owner=
  [ "$group$7" = "$(stat -c %g -- "$new")" ] && group=
fi
own "$new" "$owner" "$group" "${mode:-0644}"
sync -- "$new" 2>/dev/null
[ ! -d "$path" ] && [ ! -L "$path" ] || { echo "something else came in between" >&2; exit 5; }
[ -z "$9" ] || [ ! -f "$path" ] || cp -p -- "$path" "$path.adminset-$9" || exit 5
mv -f -- "$new" "$path" || exit 5
"""
)


@dataclass(frozen=True)
class Delivery:
    """Bytes of a local file and where they belong. Owner, group and mode may be empty: then they stay as they are."""

    source: Path
    sha256: str
    size: int
    path: str
    owner: str = ""
    group: str = ""
    mode: str = ""
    backup: bool = False

    def refusal(self) -> str:
        """Return why it is not even tried, or an empty text."""
        if words := path_refusal(self.path):
            return words
        if self.mode and not MODE.fullmatch(self.mode):
            words = _("The mode of %(path)s is no octal number such as 0644.")
            return words % {"path": self.path}
        for who in (self.owner, self.group):
            if who and not OWNER.fullmatch(who):
                words = _("The owner or group of %(path)s is no name of an account.")
                return words % {"path": self.path}
        return ""


def path_refusal(path: str) -> str:
    """Return why a path is no place for a file, or an empty text."""
    if CONTROL.search(path):
        return _("The path of a file holds a control character.")
    if not path.startswith("/") or path.endswith("/"):
        words = _("%(path)s is no absolute path of a file, such as /etc/motd.")
        return words % {"path": path or _("The empty path")}
    if {"..", "."} & set(path.split("/")):
        words = _("%(path)s holds .. or . as a part. Write the path out.")
        return words % {"path": path}
    if len(path.encode(errors="replace")) > 1000:
        return _("The path of a file is longer than 1000 bytes.")
    return ""


@dataclass(frozen=True)
class Found:
    """What stands at a path on a host; all is empty where nothing does."""

    sha256: str = ""
    mode: str = ""
    owners: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @classmethod
    def read(cls, said: str) -> Found:
        """Read what LOOK printed; a login shell may have said something before."""
        words = (said.splitlines() or [""])[-1].split()
        if len(words) != 6:
            return cls()
        digest, mode, user, group, uid, gid = words
        return cls(digest, mode, (user, uid), (group, gid))

    def matches(self, one: Delivery) -> bool:
        """Whether content, owner, group and mode are those that are wanted."""
        return (
            self.sha256 == one.sha256
            and (not one.owner or one.owner in self.owners)
            and (not one.group or one.group in self.groups)
            and (not one.mode or int(one.mode, 8) == int(self.mode, 8))
        )


def failure_words(said: str, one: Delivery) -> str:
    """Put into words why a place could not be looked at or filled: the host's own, short."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return (lines[-1] if lines else f"the host refuses {one.path}").rstrip(".")[:300]
