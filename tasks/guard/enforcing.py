"""Templates for sudoers: what must not be possible, the host forbids."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.utils.translation import gettext_lazy as _

FOLDER = Path(__file__).resolve().parent / "sudoers"
TOLD = {
    "operators": (
        _("A few commands, and no others"),
        _(
            "Arguments are written out: a * there would match blanks and further arguments too. NOEXEC keeps the programs from starting others."
        ),
    ),
    "editors": (
        _("Named files, edited as oneself"),
        _(
            "sudoedit copies a file, lets the user's own editor have the copy, and puts it back: no editor runs as root."
        ),
    ),
    "admins": (
        _("Everything, and all of it on record at the host"),
        _(
            "sudo itself keeps what is typed and seen. Send the log elsewhere (sudo_logsrvd): root can delete what lies on the host."
        ),
    ),
}


@dataclass(frozen=True)
class Template:
    """One file for /etc/sudoers.d/."""

    name: str
    title: object
    about: object
    text: str


@lru_cache(maxsize=1)
def templates() -> tuple[Template, ...]:
    """Give the templates, the narrowest first."""
    return tuple(
        Template(name, *told, (FOLDER / name).read_text(encoding="utf-8"))
        for name, told in TOLD.items()
    )
