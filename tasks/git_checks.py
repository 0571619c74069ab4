"""Says what is wrong with the address, branch or path of a git repository: nothing in them may be taken for an option or a command."""

import re
import unicodedata
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?:{_NAME}|\[[0-9A-Fa-f:.]{{2,45}}\])")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
# git@host:path, as the pages of repositories show it.
_SCP = re.compile(
    rf"(?P<user>[A-Za-z0-9_][\w.-]{{0,63}})@(?P<host>{_NAME}):(?P<path>[^:-][^:]*)",
    re.ASCII,
)
# What `git check-ref-format` refuses in a name, and besides whatever is not plain text.
_NOT_IN_BRANCH = re.compile(r"[\s~^:?*\[\\\x00-\x20\x7f]|\.\.|@\{|//")


def check_git_url(url: str) -> None:
    """Accept the address of a repository in a protocol that is allowed (ADMINSET_LIBRARY_GIT_PROTOCOLS).

    Raises:
        ValidationError: a sentence.
    """
    protocol_of(url)


def protocol_of(url: str) -> str:
    """Give the protocol of an address: https, ssh or file; raises ValidationError as check_git_url."""
    _check_plain(url)
    wrong = url.startswith("-") or "::" in url.partition("[")[0] or " " in url
    found = _SCP.fullmatch(url)
    scheme = "ssh" if found else url.partition("://")[0] if "://" in url else ""
    if wrong or not scheme:
        raise ValidationError(
            _("This is no address of a repository. Write https://host/path.git.")
        )
    if scheme not in settings.LIBRARY_GIT_PROTOCOLS:
        raise ValidationError(
            _("Repositories are read by %(allowed)s only."),
            params={"allowed": ", ".join(settings.LIBRARY_GIT_PROTOCOLS)},
        )
    if not found:
        _check_parts(url, scheme)
    return scheme


def place_of(url: str) -> tuple[str, int]:
    """Give the host and port of a checked address; ("", 0) for a folder of this machine."""
    found = _SCP.fullmatch(url)
    if found:
        return found["host"], 22
    parts = urlsplit(url)
    ports = {"https": 443, "ssh": 22}
    return (parts.hostname or "").lower(), parts.port or ports.get(parts.scheme, 0)


def _check_parts(url: str, scheme: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.netloc.rpartition("@")[2], parts.port
    except ValueError:
        raise ValidationError(_("This is no address of a repository.")) from None
    if scheme == "file":
        if parts.netloc or not parts.path.startswith("/"):
            raise ValidationError(_("Write file:///path/of/the/repository."))
        return
    host = host.rpartition(":")[0] if port is not None else host
    if not _HOST.fullmatch(host):
        raise ValidationError(_("The address names no host."))
    _check_user(parts, scheme)
    if parts.query or parts.fragment or not parts.path.strip("/"):
        raise ValidationError(_("The address names no repository."))
    if parts.path.startswith("/-"):
        raise ValidationError(_("The path may not begin with a dash."))


def _check_user(parts: SplitResult, scheme: str) -> None:
    if parts.password is not None or (parts.username is not None and scheme != "ssh"):
        raise ValidationError(
            _("Leave user name and password out of the address: choose a credential.")
        )
    if parts.username is not None and not _USER.fullmatch(parts.username):
        raise ValidationError(_("The user name in the address is not a plain one."))


def check_branch(name: str) -> None:
    """Accept the name of a branch or tag by the rules of git.

    Raises:
        ValidationError: a sentence.
    """
    _check_plain(name)
    parts = name.split("/")
    wrong = (
        name.startswith(("-", "/", "+"))
        or name.endswith(("/", "."))
        or name in ("", "@")
        or _NOT_IN_BRANCH.search(name)
        or any(part.startswith((".", "-")) or part.endswith(".lock") for part in parts)
    )
    if wrong:
        raise ValidationError(
            _("%(name)s is no name of a branch or tag."), params={"name": name[:80]}
        )


def check_git_path(path: str) -> None:
    """Accept a path inside a repository, such as `playbooks/site.yml`; empty: the whole repository.

    Raises:
        ValidationError: a sentence.
    """
    _check_plain(path)
    if not path:
        return
    parts = path.rstrip("/").split("/")
    wrong = path.startswith(("/", "-")) or "\\" in path
    if wrong or any(part in ("", ".", "..") or part == ".git" for part in parts):
        raise ValidationError(
            _("%(path)s is no path in a repository. Write it as playbooks/site.yml."),
            params={"path": path[:80]},
        )


def _check_plain(text: str) -> None:
    """Refuse control characters, and signs that turn the direction of text: what is read must be what is meant."""
    if any(
        unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") for sign in text
    ):
        raise ValidationError(_("It has signs in it that cannot be seen."))
