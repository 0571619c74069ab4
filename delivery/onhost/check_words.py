"""The checks before a deploy in words: title, why it matters, how to mend it."""

from collections.abc import Callable

from django.utils.translation import gettext as _

Words = tuple[str, str, str]


def _path() -> Words:
    return (
        _("Deploy path"),
        _("The deploy path cannot be used."),
        _("Choose a folder of its own, such as /srv/shop, in the environment."),
    )


def _user() -> Words:
    return (
        _("Deploy user"),
        _("The files are to belong to an account that this login cannot give them to."),
        _(
            "Create the account on the host, or let the credential of the host sign in as it or as root."
        ),
    )


def _write() -> Words:
    return (
        _("Right to write"),
        _("The login may not write where releases are put."),
        _("Give the folder to the account that the credential signs in as."),
    )


def _tools() -> Words:
    return (
        _("Programs on the host"),
        _("Programs that a deploy needs are missing."),
        _("Install coreutils (or a newer busybox), tar, gzip, findutils and awk."),
    )


def _space() -> Words:
    return (
        _("Disk space"),
        _("There is no room for the release."),
        _("Free some space, or keep fewer releases."),
    )


def _inodes() -> Words:
    return (
        _("Room for files"),
        _("The file system can take too few further files."),
        _("Remove small files that nobody needs, or keep fewer releases."),
    )


def _current() -> Words:
    return (
        _("The link `current`"),
        _(
            "`current` must be a link to a release, or not there: a folder cannot be switched in one step."
        ),
        _("Move it away on the host; the first deploy makes the link."),
    )


def _shared() -> Words:
    return (
        _("Shared files and folders"),
        _("Each release links to them, so they must be there before the switch."),
        _(
            "Put the file there on the host, let the release bring it, or put a slash behind the path if it is a folder."
        ),
    )


def _lock() -> Words:
    return (
        _("Lock"),
        _("Another deploy works on this host."),
        _("Wait for it. If it ended without unlocking, break its lock."),
    )


def _release() -> Words:
    return (
        _("The release's folder"),
        _("The release cannot be put in its place."),
        _("Move away what stands there, or take the bad mark off the release."),
    )


def _ports() -> Words:
    return (
        _("Ports"),
        _("A port that the application needs is taken."),
        _(
            "Stop what listens there (ss -lntup tells), or change the port. If it is this application as it was before its first deploy, take the port out of the project until then."
        ),
    )


def _health() -> Words:
    return (
        _("Asking for health"),
        _("The host has no program that could ask for health."),
        _("Install one of those that are named, or ask by a command."),
    )


# In the order in which they are shown.
CHECKS: dict[str, Callable[[], Words]] = {
    "path": _path,
    "user": _user,
    "write": _write,
    "space": _space,
    "inodes": _inodes,
    "tools": _tools,
    "current": _current,
    "shared": _shared,
    "lock": _lock,
    "release": _release,
    "ports": _ports,
    "health": _health,
}
