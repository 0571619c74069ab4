"""Fills in the files of an environment: for a page with secrets masked, for hosts and programs as they are."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from appconf.config import facts, substitution
from appconf.config.precedence import (
    MASK,
    Decided,
    names_unseen,
    secrets_of,
    values_of,
)
from appconf.config.resolving import resolve, resolve_hosts
from appconf.models import ConfigVersion, Environment, Variable
from cmdb.models import Host


@dataclass(frozen=True)
class Rendered:
    """A file filled in.

    Attributes:
        secrets: names of secret variables that stand in it. problem: why it cannot be filled in, "" where it can.
    """

    version: ConfigVersion
    text: str = field(default="", repr=False)
    secrets: tuple[str, ...] = ()
    problem: str = ""

    @property
    def sha256(self) -> str:
        """Of the text, as bytes in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class HostTexts:
    """All wanted files for one host: id of the file -> what it becomes; `plain` are the opened secrets, to be masked elsewhere."""

    host: Host
    files: Mapping[int, Rendered]
    plain: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def problems(self) -> list[str]:
        """Why some of them cannot be filled in."""
        return [each.problem for each in self.files.values() if each.problem]

    @property
    def size(self) -> int:
        """Bytes of all texts."""
        return sum(len(each.text.encode()) for each in self.files.values())


def preview(
    user: Any,
    version: ConfigVersion,
    environment: Environment,
    host: Host | None = None,
) -> Rendered:
    """Fill in a version as a page may show it to a user: a mask stands for secrets, and for what the user may not see."""
    decided = resolve(environment.project, environment, host)
    hidden = names_unseen(decided, seen_by(user))
    place = (environment, host)
    return _filled(version, decided, place, reveal=False, hidden=hidden)


def seen_by(user: Any) -> set[int]:
    """Give the keys of the variables that a user may see."""
    rows = Variable.objects.visible_to(user).order_by()
    return set(rows.values_list("pk", flat=True))


def for_program(
    version: ConfigVersion, environment: Environment, host: Host | None = None
) -> Rendered:
    """Fill in a version with its secrets, for whoever uses the file and never for display."""
    decided = resolve(environment.project, environment, host)
    return _filled(version, decided, (environment, host), reveal=True)


def for_hosts(
    versions: Iterable[ConfigVersion],
    environment: Environment,
    hosts: Iterable[Host],
    *,
    reveal: bool,
) -> list[HostTexts]:
    """Fill in some versions for many hosts; `reveal` puts secrets in, for use and never for display."""
    listed, wanted = list(hosts), list(versions)
    decided = resolve_hosts(environment, listed)
    found = []
    # Hosts share what was decided for them: each secret is opened once.
    opened: dict[int, Mapping[str, str]] = {}
    for host in listed:
        place, values = (environment, host), decided[host.pk]
        if reveal and id(values) not in opened:
            opened[id(values)] = secrets_of(values)
        files = {
            version.file_id: _filled(version, values, place, reveal=reveal)
            for version in wanted
        }
        found.append(HostTexts(host, files, opened.get(id(values), {})))
    return found


def _filled(
    version: ConfigVersion,
    decided: Mapping[str, Decided],
    place: tuple[Environment, Host | None],
    *,
    reveal: bool,
    hidden: Collection[str] = (),
) -> Rendered:
    asked = set(substitution.names_in(version.text))
    wanted = {name: decided[name] for name in asked if name in decided}
    secret = tuple(
        sorted(
            name
            for name, each in wanted.items()
            if each.winner is not None and each.winner.is_secret
        )
    )
    try:
        values = values_of(wanted, reveal=reveal)
        values |= dict.fromkeys(values.keys() & set(hidden), MASK)
        values |= facts.facts_of(*place)
        text = substitution.render(version.text, values)
        _check_size(text)
    except DomainError as error:
        told = f"{version.file.name}: {error.hint or error.message}"
        return Rendered(version, secrets=secret, problem=told)
    return Rendered(version, text, secret)


def _check_size(text: str) -> None:
    if len(text.encode()) > settings.CONFIG_TEXT_BYTES:
        raise DomainError(
            _("It becomes longer than %(most)s KiB.")
            % {"most": settings.CONFIG_TEXT_BYTES // 1024},
            code="too_long",
        )
