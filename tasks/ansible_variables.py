"""Variables that reach playbooks: names that steer nothing, values that are never evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.translation import gettext as _

from adminset.errors import DomainError

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}", re.ASCII)
# Ansible's own: a value there would change which hosts are meant, or how a play runs.
RESERVED = frozenset(
    {
        "become",
        "connection",
        "delegate_to",
        "environment",
        "group_names",
        "groups",
        "hostvars",
        "inventory_dir",
        "inventory_file",
        "inventory_hostname",
        "inventory_hostname_short",
        "omit",
        "play_hosts",
        "playbook_dir",
        "remote_user",
        "role_name",
        "role_path",
        "vars",
    }
)


def steers(name: object) -> bool:
    """Say whether a variable may not be given: its name is none, or Ansible's own."""
    if not isinstance(name, str) or not VARIABLE.fullmatch(name):
        return True
    low = name.lower()
    return low.startswith(("ansible_", "_ansible_", "__ansible")) or low in RESERVED


def check_variables(*given: Mapping[str, object]) -> None:
    """Raise DomainError for names that Ansible or the shell could take for something else.

    What JSON or YAML hid behind escapes (`\\u0061nsible_connection`) was opened before it came here.
    """
    wrong = [name for variables in given for name in variables if steers(name)]
    if wrong:
        raise DomainError(
            _("These variables cannot be given to Ansible: %(names)s.")
            % {"names": ", ".join(repr(name)[:100] for name in wrong[:10])},
            _(
                "A name holds letters, digits and _ only, never ansible_ in front, and is none of Ansible's own words."
            ),
            fields={"variables": _("A variable's name cannot be used.")},
        )


def unsafe(value: object) -> object:
    """Return a JSON value in which Ansible evaluates no text as a template."""
    if isinstance(value, str):
        return {"__ansible_unsafe": value}
    if isinstance(value, Mapping):
        # A key that Ansible's own JSON reads as a mark would turn the value into something else.
        return {_key(key): unsafe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [unsafe(item) for item in value]
    return value


def _key(key: object) -> str:
    text = str(key)
    return f" {text}" if text.startswith("__ansible") else text


def texts_in(value: object) -> list[str]:
    """Return every text in a value, for redaction."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in texts_in(item)]
    return [] if value is None or isinstance(value, bool) else [str(value)]
