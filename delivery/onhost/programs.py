"""The programs that run on hosts: POSIX sh, put together from the files beside this one. Each may run twice, and be killed anywhere."""

from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "sh"
# Name -> the files it is made of, behind the prelude.
PARTS: dict[str, tuple[str, ...]] = {
    "read": ("read",),
    "check": ("check",),
    "claim": ("claim",),
    "release_lock": ("release_lock",),
    "receive": ("sums", "shared", "unpack", "receive"),
    "activate": ("hooks", "shared", "health", "switching", "activate"),
    "switch_back": ("hooks", "shared", "health", "switching", "switch_back"),
    "finish": ("finish",),
    "mark": ("mark",),
    "look": ("sums", "look"),
    "command": ("hooks", "command"),
    "well": ("hooks", "health", "well"),
}


@cache
def program(name: str) -> str:
    """Give a program by its name; raises KeyError for one that there is not."""
    files = ("prelude", *PARTS[name])
    return "".join((FOLDER / f"{file}.sh").read_text() for file in files)
