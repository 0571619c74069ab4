"""Which roles YAML names: a playbook's `roles:`, import_role and include_role, a role's own dependencies and tasks."""

from collections.abc import Iterator
from typing import Any

import yaml

from tasks.checks import read_yaml

# As Ansible knows them; what stands behind a dot of another collection is not of the library.
WORDS = frozenset(
    f"{prefix}{word}"
    for prefix in ("", "ansible.builtin.", "ansible.legacy.")
    for word in ("import_role", "include_role")
)
LISTS = ("roles", "dependencies")


def roles_named_in(text: str) -> set[str]:
    """Give the names of roles that a YAML text asks for; a name that is made up at run time ("{{ x }}") is not among them."""
    try:
        tree = read_yaml(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return set()
    return {name for name in _names(tree) if name and "{" not in name}


def _names(tree: Any) -> Iterator[str]:
    """Walk over a tree; what stands there several times (an anchor of YAML) is looked at once."""
    waiting, seen = [tree], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, dict):
            waiting.extend(node.values())
            yield from _names_of(node)


def _names_of(node: dict[Any, Any]) -> Iterator[str]:
    for key, value in node.items():
        if key in LISTS and isinstance(value, list):
            yield from map(_name_of_entry, value)
        elif key in WORDS:
            yield _name_of_call(value)


def _name_of_entry(entry: Any) -> str:
    if isinstance(entry, dict):
        entry = entry.get("role") or entry.get("name")
    return entry if isinstance(entry, str) else ""


def _name_of_call(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("name") or value.get("role")
        return value if isinstance(value, str) else ""
    for part in value.split() if isinstance(value, str) else ():
        word, sign, name = part.partition("=")
        if sign and word in ("name", "role"):
            return name.strip("'\"")
    return ""
