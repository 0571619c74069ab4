"""The one door to LDAP and Active Directory: finds a person, proves the password by a bind as that person, reads the groups."""

import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import ldap3
from django.conf import settings
from django.utils.translation import gettext as _
from ldap3.core.exceptions import LDAPBindError, LDAPException
from ldap3.utils.conv import escape_filter_chars

from adminset.errors import Unavailable
from adminset.redaction import known

logger = logging.getLogger(__name__)
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Person:
    """An entry of the directory: its name, what it is for ever, and what it says."""

    dn: str
    unique_id: str
    username: str
    display_name: str
    email: str
    groups: tuple[str, ...]


class DirectoryAwayError(Unavailable):
    """No server of the directory answers, or it refuses the service account."""


def is_configured() -> bool:
    """Say whether a directory is named in the settings."""
    return bool(settings.LDAP_URLS)


def prove(
    username: str, password: str, found: Callable[[str], None] | None = None
) -> Person | None:
    """Give the person whose name and password these are; None when there is none, or the password is wrong.

    An empty password is refused before the directory is asked: servers take a bind without one as anonymous, and say yes.

    Args:
        found: told the id of the entry that the name leads to, before the password is looked at; may raise.

    Raises:
        DirectoryAwayError: nobody can be asked.
    """
    if not username or not password or "\x00" in username + password:
        return None
    with _service() as connection:
        person = _find(connection, username)
        if person is None:
            return None
        if found is not None:
            found(person.unique_id)
        return person if _binds(connection.server, person.dn, password) else None


def find(username: str) -> Person | None:
    """Give the person of a name, without a proof.

    Raises:
        DirectoryAwayError: nobody can be asked.
    """
    with _service() as connection:
        return _find(connection, username)


@contextmanager
def _service() -> Iterator[ldap3.Connection]:
    """Speak as the service account, with the first server that answers."""
    known.add(settings.LDAP_BIND_PASSWORD)
    reasons = []
    for url in settings.LDAP_URLS:
        try:
            connection = _connect(
                server_of(url), settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD
            )
        except (LDAPException, OSError) as error:
            reasons.append(type(error).__name__)
            logger.warning(
                "directory %s: %s", urlsplit(url).netloc, type(error).__name__
            )
            continue
        try:
            yield connection
            return
        except LDAPException as error:
            raise _away(type(error).__name__) from None
        finally:
            connection.unbind()
    raise _away(", ".join(reasons))


def _away(why: str) -> DirectoryAwayError:
    return DirectoryAwayError(
        _("The directory cannot be asked (%(why)s).") % {"why": why},
        _("Try again in a while; local users can sign in meanwhile."),
        code="directory_away",
        retry_after=30,
    )


def server_of(url: str) -> ldap3.Server:
    """Make the server of an address; its certificate is always looked at."""
    parts = urlsplit(url)
    tls = ldap3.Tls(
        validate=ssl.CERT_REQUIRED, ca_certs_file=settings.LDAP_CA_FILE or None
    )
    return ldap3.Server(
        parts.hostname or "",
        port=parts.port or (636 if parts.scheme == "ldaps" else 389),
        use_ssl=parts.scheme == "ldaps",
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=settings.LDAP_TIMEOUT_SECONDS,
    )


def _connect(server: ldap3.Server, dn: str, password: str) -> ldap3.Connection:
    connection = ldap3.Connection(
        server,
        user=dn or None,
        password=password or None,
        authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
        receive_timeout=settings.LDAP_TIMEOUT_SECONDS,
        raise_exceptions=True,
        read_only=True,
        auto_referrals=False,
    )
    connection.open()
    if settings.LDAP_START_TLS:
        connection.start_tls()
    connection.bind()
    return connection


def _binds(server: ldap3.Server, dn: str, password: str) -> bool:
    try:
        _connect(server, dn, password).unbind()
    except LDAPBindError:
        return False
    except LDAPException as error:
        if _is_refusal(error):
            return False
        raise
    return True


def _is_refusal(error: LDAPException) -> bool:
    """Say whether the directory said no to this password or account: 49 invalid credentials, 53 unwilling, 50 no access."""
    return getattr(error, "result", None) in {49, 50, 53}


def _find(connection: ldap3.Connection, username: str) -> Person | None:
    wanted = settings.LDAP_USER_FILTER.replace(
        "%(user)s", escape_filter_chars(username)
    )
    attributes = [
        name
        for name in (
            settings.LDAP_USERNAME_ATTRIBUTE,
            settings.LDAP_NAME_ATTRIBUTE,
            settings.LDAP_EMAIL_ATTRIBUTE,
            settings.LDAP_ID_ATTRIBUTE,
            "memberOf",
        )
        if name
    ]
    entries = _search(connection, settings.LDAP_BASE_DN, wanted, attributes)
    if len(entries) != 1:
        if entries:
            logger.warning("directory: %s entries for one user name", len(entries))
        return None
    return _person(connection, entries[0], username)


def _search(
    connection: ldap3.Connection, base: str, wanted: str, attributes: list[str]
) -> list[Any]:
    connection.search(base, wanted, attributes=attributes, size_limit=1000)
    return [
        each
        for each in connection.response or ()
        if each.get("type") == "searchResEntry"
    ]


def _person(connection: ldap3.Connection, entry: Any, username: str) -> Person | None:
    values, dn = entry["raw_attributes"], str(entry["dn"])
    groups = [text.decode(errors="replace") for text in values.get("memberOf", [])]
    if settings.LDAP_GROUP_FILTER:
        wanted = settings.LDAP_GROUP_FILTER.replace(
            "%(dn)s", escape_filter_chars(dn)
        ).replace("%(user)s", escape_filter_chars(username))
        base = settings.LDAP_GROUP_BASE_DN or settings.LDAP_BASE_DN
        groups += [
            str(each["dn"]) for each in _search(connection, base, wanted, ["cn"])
        ]
    unique = values.get(settings.LDAP_ID_ATTRIBUTE, [])
    return Person(
        dn=dn,
        unique_id=_identity(unique[0]) if unique else dn.casefold(),
        username=_text(values, settings.LDAP_USERNAME_ATTRIBUTE) or username,
        display_name=_text(values, settings.LDAP_NAME_ATTRIBUTE),
        email=_text(values, settings.LDAP_EMAIL_ATTRIBUTE),
        groups=tuple(dict.fromkeys(groups)),
    )


def _identity(raw: bytes) -> str:
    """Write an id as text; Active Directory's objectGUID is sixteen bytes."""
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        return raw.hex()
    return text if text.isprintable() else raw.hex()


def _text(values: Any, name: str) -> str:
    found = values.get(name) or [b""]
    return found[0].decode(errors="replace").replace("\x00", "")
