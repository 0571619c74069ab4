"""The comparison of what belongs to a place with what was found there, as a page shows it: without any secret, former ones too."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from adminset.redaction import without_shapes
from adminset.text_diffs import FileDiff, compare_texts
from appconf.config.precedence import MASK, names_unseen, secrets_of
from appconf.config.rendering import for_program, seen_by
from appconf.config.resolving import resolve
from appconf.config.substitution import names_in
from delivery.configs.programs import mask_lines
from delivery.configs.pushed import opened
from delivery.models import ConfigDrift

State = ConfigDrift.State


def comparison(drift: ConfigDrift) -> tuple[FileDiff | None, str]:
    """Compare what belongs to a place with what was found there, both without secrets.

    Returns:
        The comparison; None where there is none, and why.
    """
    if drift.version is None:
        return None, _("The version that belongs there is not there any more.")
    if drift.state == State.SAME:
        return None, ""
    environment, host = drift.environment, drift.host
    rendered = for_program(drift.version, environment, host)
    if rendered.problem:
        return None, rendered.problem
    plain = secrets_of(resolve(environment.project, environment, host))
    kept: Any = drift.secrets
    # Those that a push brought there stand there still, though they were changed since.
    secrets = [*plain.values(), *opened(kept)]
    wanted = without_shapes(_masked(rendered.text, secrets))
    if drift.state == State.MISSING:
        return compare_texts(drift.file.path, wanted, None), ""
    if drift.found is None:
        return None, drift.explanation or _("Nothing is known of its text.")
    found: Any = drift.found
    return _compared(drift, wanted, _masked(found.reveal(), secrets))


def _compared(
    drift: ConfigDrift, wanted: str, found: str
) -> tuple[FileDiff | None, str]:
    if _is_other_secret(found, wanted):
        return None, _(
            "A secret differs or is missing. What stands in its place cannot be told from the rest, so that no text is shown."
        )
    stands = without_shapes(_other_secrets(found, wanted))
    if stands.rstrip("\n") == wanted.rstrip("\n"):
        return None, _(
            "Only what is not shown differs: a secret, the line end at its end, or signs that are no text."
        )
    return compare_texts(drift.file.path, wanted, stands), ""


def unseen_names(user: Any, drift: ConfigDrift) -> set[str]:
    """Name the variables of a file whose values a reader may not see: the comparison would tell them."""
    if drift.version is None:
        return set()
    environment = drift.environment
    decided = resolve(environment.project, environment, drift.host)
    asked = set(names_in(drift.version.text))
    return names_unseen(decided, seen_by(user)) & asked


def _masked(text: str, secrets: Iterable[str]) -> str:
    """Mask secrets line by line, as it is done on the host (sh/read.sh)."""
    for line in mask_lines(secrets):
        text = text.replace(line, MASK)
    return text


def _is_other_secret(found: str, wanted: str) -> bool:
    """Say whether the place of a secret is not to be found: neither the mask stands there, nor what is written before it."""
    lines = found.split("\n")
    there = Counter(lines)
    places = Counter(line for line in wanted.split("\n") if MASK in line)
    return any(
        there[line] < count and not _has_head(lines, line.partition(MASK)[0])
        for line, count in places.items()
    )


def _has_head(lines: list[str], head: str) -> bool:
    return bool(head.strip()) and any(line.startswith(head) for line in lines)


def _other_secrets(found: str, wanted: str) -> str:
    """Mask what stands in the place of a secret: the one before it, or one that somebody put there."""
    lines = {line for line in wanted.split("\n") if MASK in line}
    heads = {line.partition(MASK)[0] for line in lines}
    starts = tuple(head for head in heads if head.strip())

    def shown(line: str) -> str:
        if line in lines or not line.startswith(starts):
            return line
        head = max((each for each in starts if line.startswith(each)), key=len)
        other = _("(another one)")
        return f"{head}{MASK} {other}"

    return "\n".join(shown(line) for line in found.split("\n"))
