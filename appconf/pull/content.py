"""What a program gets: the variables that win for it, the files that are in force, and a mark by which it knows them again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from adminset.crypto import digest
from adminset.errors import Conflict, Forbidden, NotFound
from appconf.config import facts
from appconf.config.precedence import values_of
from appconf.config.questions import files_of, in_force, path_in
from appconf.config.rendering import for_program
from appconf.config.resolving import resolve
from appconf.models import PullToken
from appconf.vouching import hosts_of
from cmdb.models import Host

MOST_NAME = 253


@dataclass(frozen=True)
class Told:
    """An answer: its `body`, and the names of what was held back."""

    body: Any = field(repr=False)
    held_back: tuple[str, ...] = ()
    has_secrets: bool = False

    @property
    def etag(self) -> str:
        """Mark of the content; keyed, so that it tells nobody what a secret might be."""
        text = json.dumps([self.body, self.held_back], sort_keys=True)
        return f'"{digest(text)[:32]}"'


def variables(token: PullToken, host: Host | None) -> Told:
    """Give the variables and facts by name; secret ones only where the token says so."""
    environment = token.environment
    decided = resolve(environment.project, environment, host)
    secret = {
        name for name, each in decided.items() if each.winner and each.winner.is_secret
    }
    told = {
        name: each
        for name, each in decided.items()
        if token.with_secrets or name not in secret
    }
    values = values_of(told, reveal=token.with_secrets)
    values |= facts.facts_of(environment, host)
    held_back = () if token.with_secrets else tuple(sorted(secret))
    return Told(values, held_back, token.with_secrets and bool(secret))


def files(token: PullToken) -> Told:
    """Give the files that are in force, without their texts."""
    listed = files_of(token.environment)
    versions = in_force(listed)
    rows: list[Mapping[str, Any]] = [
        {
            "path": path_in(file, token.environment),
            "name": file.name,
            "version": versions[file.pk].number,
            "owner": file.owner,
            "group": file.group,
            "mode": file.mode,
        }
        for file in listed
        if file.pk in versions
    ]
    return Told({"files": rows})


def file_text(token: PullToken, path: str, host: Host | None) -> Told:
    """Give one file filled in, by its path.

    Raises:
        NotFound: no such file is in force. Forbidden: secrets stand in it, and the token gets none.
        Conflict: it cannot be filled in; says the line and the name.
    """
    environment = token.environment
    listed = files_of(environment)
    versions = in_force(listed)
    for file in listed:
        if file.pk in versions and path_in(file, environment) == path:
            rendered = for_program(versions[file.pk], environment, host)
            break
    else:
        raise NotFound(_("There is no such file in force."), code="not_found")
    if rendered.problem:
        raise Conflict(rendered.problem, code="template")
    if rendered.secrets and not token.with_secrets:
        names = ", ".join(rendered.secrets)
        raise Forbidden(
            _("Secret variables stand in this file: %(names)s.") % {"names": names},
            _("Use a token that gets secret variables."),
            code="secrets_held_back",
        )
    return Told(rendered.text, (), bool(rendered.secrets))


def host_named(token: PullToken, name: str) -> Host | None:
    """Find the host of the environment that a program says it runs on; None where it says nothing.

    Raises:
        NotFound: none of the hosts that are delivered to is called so, or several are.
    """
    if not name:
        return None
    # Not any that fell into one of its groups: the secrets of a host go where somebody answers for it.
    rows = hosts_of(token.environment).filter(hostname=name[:MOST_NAME])
    found = list(rows[:2])
    if len(found) != 1:
        raise NotFound(
            _("No host of this environment is called so, or several are."),
            code="no_host",
        )
    return found[0]
