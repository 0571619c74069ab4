"""What a message must say, and which of its values go where: rules that are plain data, read and applied here only.

Texts are compared by shell-like patterns (`*`, `?`, `[a-z]`) on the whole text, never by regular expressions: no pattern can
take longer than its length times that of the text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tasks.hooks.paths import NOTHING, as_text, find, problem_of

MOST_RULES = 50
LONGEST_PATTERN = 200
MOST_STARS = 10
LONGEST_VALUE = 2000
# Beyond it a number of JSON is not exact any more, and no key of the database.
LARGEST = 2**53
MOST_VALUES = 100


class Operator(models.TextChoices):
    """How a value is compared."""

    EQUALS = "equals", gettext_lazy("is")
    IN = "in", gettext_lazy("is one of")
    MATCHES = "matches", gettext_lazy("looks like")
    PRESENT = "present", gettext_lazy("is there")


MATCH_KEYS = {"path", "operator", "value"}
EXTRACT_KEYS = {"field", "path", "constant", "pattern", "optional"}


@dataclass(frozen=True)
class Judged:
    """What a rule says of a message: the rule in words, whether it holds, what was found."""

    rule: str
    holds: bool
    found: str


@dataclass
class Extracted:
    """Values by field, and sentences about those that cannot be taken."""

    values: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)


# ---- Reading the rules


def read_match(rows: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the rules as they are kept, and sentences about those that cannot be."""
    return _read(rows, MATCH_KEYS, _match_of)


def read_extract(rows: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """The same for the rules by which values are taken."""
    kept, wrong = _read(rows, EXTRACT_KEYS, _extract_of)
    names = [rule["field"] for rule in kept]
    for name in sorted({name for name in names if names.count(name) > 1}):
        wrong.append(_("%(name)s is there twice.") % {"name": name})
    return kept, wrong


def _read(
    rows: Any, keys: set[str], one: Any
) -> tuple[list[dict[str, Any]], list[str]]:
    kept: list[dict[str, Any]] = []
    if not isinstance(rows, list) or len(rows) > MOST_RULES:
        return kept, [
            _("Give a list of at most %(most)s rules.") % {"most": MOST_RULES}
        ]
    wrong = []
    for row in rows:
        if not isinstance(row, Mapping) or set(row) - keys:
            wrong.append(_("A rule has: %(keys)s.") % {"keys": ", ".join(sorted(keys))})
            continue
        rule, problem = one(row)
        if problem:
            wrong.append(problem)
        else:
            kept.append(rule)
    return kept, wrong


def _match_of(row: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    path, operator = row.get("path"), row.get("operator") or Operator.EQUALS
    if problem := problem_of(path):
        return {}, problem
    if operator not in Operator.values:
        return {}, _("%(name)s is no way to compare.") % {"name": str(operator)[:40]}
    rule = {"path": path, "operator": str(operator)}
    value, problem = _value_of(str(operator), row.get("value"))
    return rule | ({} if value is None else {"value": value}), problem


def _value_of(operator: str, value: Any) -> tuple[Any, str]:
    if operator == Operator.PRESENT:
        return None, ""
    if operator == Operator.IN:
        listed = value if isinstance(value, list) else str(value or "").split(",")
        texts = [
            as_text(each.strip() if isinstance(each, str) else each) for each in listed
        ]
        good = [text for text in texts if text]
        fine = good and len(good) == len(texts) <= MOST_VALUES
        return good, "" if fine else _("Give values with commas between.")
    text = as_text(value)
    if not text or value is None or len(text) > LONGEST_VALUE:
        return None, _("Give one value to compare with.")
    problem = problem_of_pattern(text) if operator == Operator.MATCHES else ""
    return text, problem


def problem_of_pattern(text: str) -> str:
    """Say what is wrong with a shell-like pattern; "" for a good one."""
    if not text or len(text) > LONGEST_PATTERN or text.count("*") > MOST_STARS:
        words = _("A pattern has at most %(most)s characters and %(stars)s stars.")
        return words % {"most": LONGEST_PATTERN, "stars": MOST_STARS}
    return ""


def _extract_of(row: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    name, path = row.get("field"), row.get("path") or ""
    constant, pattern = row.get("constant"), row.get("pattern") or ""
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 150:
        return {}, _("Name the field that the value is for.")
    has_constant = constant not in (None, "")
    if bool(path) == has_constant:
        words = _("%(name)s takes a path or a fixed value: one of the two.")
        return {}, words % {"name": name[:60]}
    if path and (problem := problem_of(path)):
        return {}, problem
    rule: dict[str, Any] = {
        "field": name.strip(),
        "optional": _is_yes(row.get("optional")),
    }
    if has_constant:
        value, problem = plain(constant)
        return rule | {"constant": value}, problem
    if pattern:
        rule["pattern"] = str(pattern)
        return rule | {"path": path}, problem_of_pattern(str(pattern))
    return rule | {"path": path}, ""


def _is_yes(value: Any) -> bool:
    return value is True or str(value).lower() in {"on", "1", "true", "yes"}


def plain(value: Any) -> tuple[Any, str]:
    """Give a value that a form may take: a text, a number, yes or no, or a list of these; else a sentence why not."""
    if any(
        _too_large(each) for each in (value if isinstance(value, list) else [value])
    ):
        return None, _("This number is too large.")
    if isinstance(value, list):
        fine = len(value) <= MOST_VALUES and all(
            each is not None and as_text(each) is not None for each in value
        )
        too_long = any(len(as_text(each) or "") > LONGEST_VALUE for each in value)
        if fine and not too_long:
            return value, ""
    elif value is not None and (text := as_text(value)) is not None:
        if len(text) <= LONGEST_VALUE:
            return value, ""
        words = _("This is longer than %(most)s characters.")
        return None, words % {"most": LONGEST_VALUE}
    return None, _("This is no plain value, and no list of plain values.")


def _too_large(value: Any) -> bool:
    # Written so that what is no number at all is too large as well.
    return isinstance(value, int | float) and not -LARGEST <= value <= LARGEST


# ---- Applying them


def judge(rules: Iterable[Mapping[str, Any]], message: Any) -> list[Judged]:
    """Say of each rule whether a message keeps to it."""
    return [_judged(rule, find(message, rule["path"])) for rule in rules]


def in_words(rule: Mapping[str, Any]) -> str:
    """Say a rule: "ref is refs/heads/main"."""
    wanted = rule.get("value")
    shown = ", ".join(wanted) if isinstance(wanted, list) else wanted or ""
    return f"{rule['path']} {Operator(rule['operator']).label} {shown}".strip()


def _judged(rule: Mapping[str, Any], found: Any) -> Judged:
    there = found is not NOTHING and found is not None
    told = (as_text(found) or _("a list or an object")) if there else _("nothing")
    return Judged(in_words(rule), there and _holds(rule, found), told[:200])


def _holds(rule: Mapping[str, Any], found: Any) -> bool:
    operator, wanted = rule["operator"], rule.get("value")
    if operator == Operator.PRESENT:
        return True
    text = as_text(found)
    if text is None or len(text) > LONGEST_VALUE:
        return False
    if operator == Operator.MATCHES:
        return fnmatchcase(text, str(wanted))
    return text in wanted if isinstance(wanted, list) else text == wanted


def extract(rules: Iterable[Mapping[str, Any]], message: Any) -> Extracted:
    """Take the values of a message that the rules name."""
    taken = Extracted()
    for rule in rules:
        name = rule["field"]
        if "constant" in rule:
            taken.values[name] = rule["constant"]
            continue
        value, problem = _taken(rule, find(message, rule["path"]))
        if problem:
            taken.wrong[name] = problem
        elif value is not NOTHING:
            taken.values[name] = value
    return taken


def _taken(rule: Mapping[str, Any], found: Any) -> tuple[Any, str]:
    if found is NOTHING or found is None:
        missing = _("The message has nothing at %(path)s.") % {"path": rule["path"]}
        return NOTHING, "" if rule.get("optional") else missing
    value, problem = plain(found)
    pattern = rule.get("pattern")
    if problem or not pattern:
        return value, problem
    each = value if isinstance(value, list) else [value]
    if all(fnmatchcase(as_text(one) or "", pattern) for one in each):
        return value, ""
    return value, _("This does not look like %(pattern)s.") % {"pattern": pattern}
