"""Reads a definition's YAML into plain values and remembers on which line each of them stands."""

from __future__ import annotations

import re
from typing import Any

import yaml
from django.conf import settings
from django.utils.translation import gettext as _

Path = tuple[str | int, ...]
Lines = dict[Path, int]
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
DECIMAL = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")
DEEPEST = 12


class NotReadableError(ValueError):
    """A text that cannot be read; `line` counts from 1, 0 where it is not known."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.line = line


def read(text: str) -> tuple[Any, Lines]:
    """Give the values of a YAML text, and the line of each by its path (`("fields", 0, "name")`).

    Only `true` and `false` are truth values, only plain decimal digits are numbers, dates stay text: nobody is surprised
    by `on`, `0644` or `2026-01-01`. Names that stand for other parts of the text (anchors) and tags are refused.

    Raises:
        NotReadableError: it is too long or no such YAML.
    """
    if len(text.encode(errors="replace")) > settings.TASK_MODULE_BYTES:
        raise NotReadableError(
            _("It is longer than %(most)s KiB.")
            % {"most": settings.TASK_MODULE_BYTES // 1024}
        )
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotReadableError(
            str(error.problem or error.context), mark.line + 1 if mark else 0
        ) from error
    except RecursionError as error:
        raise NotReadableError(_("It is nested too deeply.")) from error
    except (yaml.YAMLError, ValueError) as error:
        raise NotReadableError(" ".join(str(error).split())[:300]) from error
    reader = _Reader()
    return (reader.value(node, ()) if node is not None else None), reader.lines


class _Reader:
    """Turns nodes into values."""

    def __init__(self) -> None:
        self.lines: Lines = {}
        self._met: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if id(node) in self._met:
            raise NotReadableError(_("Anchors and aliases are not taken."), line)
        self._met.add(id(node))
        if len(path) > DEEPEST:
            raise NotReadableError(_("It is nested too deeply."), line)
        if node.tag not in PLAIN_TAGS:
            raise NotReadableError(
                _("Tags such as %(tag)s are not taken.") % {"tag": node.tag[:50]}, line
            )
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(one, (*path, at)) for at, one in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise NotReadableError(_("A key must be a word."), line)
            if key.value in found:
                raise NotReadableError(
                    _("%(key)s stands there twice.") % {"key": key.value[:50]}, line
                )
            self.lines[(*path, key.value)] = line
            found[key.value] = self.value(value, (*path, key.value))
        return found


PLAIN_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in (
        "map",
        "seq",
        "str",
        "int",
        "float",
        "bool",
        "null",
        "timestamp",
        "value",
    )
)


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None):
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "~", "null"):
        return None
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text) if DECIMAL.fullmatch(text) else text
