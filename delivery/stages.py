"""Stages of a pipeline: which there are, which order makes sense, and how a list of them is checked."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

MOST = 40
LONGEST_COMMAND = 65_536
# At the portal, in the build's clean directory, before the artefact is made.
AT_PORTAL = ("build", "check")
# At the portal, behind the switch: smoke tests, caches, notices.
AFTER = "after"
KINDS: dict[str, Any] = {
    "build": _("build"),
    "check": _("check of what was built"),
    "distribute": _("distribute"),
    "command": _("command on the hosts"),
    "confirm": _("a person confirms"),
    "activate": _("switch"),
    AFTER: _("after, at the portal"),
}
WITH_COMMAND = ("build", "check", "command", AFTER)
KNOWN = {"kind", "title", "command", "timeout", "on"}
ALL, FIRST = "all", "first"
# Where a command on the hosts runs; one that changes what hosts share (a migration) runs on one of them.
ON: dict[str, Any] = {ALL: _("all hosts"), FIRST: _("first host only")}


def default_stages() -> list[dict[str, Any]]:
    """Give the stages of a new pipeline."""
    return [{"kind": "distribute"}, {"kind": "activate"}]


def title_of(stage: dict[str, Any]) -> str:
    """Give a stage's title, or what its kind is called."""
    return str(stage.get("title") or KINDS.get(stage.get("kind", ""), ""))


def is_for_one(stage: dict[str, Any]) -> bool:
    """Say whether a stage runs on one host of a deploy only."""
    return bool(stage.get("on", ALL) == FIRST)


def is_at_portal(stage: dict[str, Any]) -> bool:
    """Say whether the command of a stage runs at the portal."""
    return stage["kind"] in (*AT_PORTAL, AFTER)


def check_stages(value: Any) -> None:
    """Refuse stages that make no whole way: each of a known kind, distribute and switch once each and in this order.

    Raises:
        ValidationError: says which stage, counted from 1, and why.
    """
    if not isinstance(value, list) or not 0 < len(value) <= MOST:
        raise ValidationError(_("Stages are a list, of 1 to 40."))
    for number, stage in enumerate(value, 1):
        why = _wrong(stage)
        if why:
            words = _("Stage %(number)s: %(why)s")
            raise ValidationError(words % {"number": number, "why": why})
    kinds = [stage["kind"] for stage in value]
    if kinds.count("distribute") != 1 or kinds.count("activate") != 1:
        raise ValidationError(_("There is one stage to distribute and one to switch."))
    first = kinds.index("distribute")
    if kinds.index("activate") < first:
        raise ValidationError(_("A release is distributed before the switch."))
    if any(kind in AT_PORTAL for kind in kinds[first:]):
        raise ValidationError(_("Builds and their checks come before distributing."))
    if AFTER in kinds[: kinds.index("activate")]:
        words = _(
            "A command at the portal that is none of the build comes behind the switch."
        )
        raise ValidationError(words)


def _wrong(stage: Any) -> Any:
    if not isinstance(stage, dict) or stage.get("kind") not in KINDS:
        return _("its kind is not known.")
    if unknown := sorted(set(stage) - KNOWN):
        return _("%(name)s is not known.") % {"name": str(unknown[0])[:40]}
    command, title = stage.get("command", ""), stage.get("title", "")
    if not isinstance(command, str) or len(command) > LONGEST_COMMAND:
        return _("its command is a text of at most 64 KiB.")
    if not isinstance(title, str) or len(title) > 100:
        return _("its title is a text of at most 100 characters.")
    if "\0" in command + title:
        return _("it holds a character that no shell takes.")
    if stage["kind"] in WITH_COMMAND and not command.strip():
        return _("it needs a command.")
    return _wrong_place(stage) or _wrong_time(stage.get("timeout", 1))


def _wrong_time(seconds: Any) -> Any:
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        return _("its time-out is a number of seconds.")
    return "" if 0 < seconds <= 86_400 else _("its time-out is 1 to 86400 seconds.")


def _wrong_place(stage: dict[str, Any]) -> Any:
    on = stage.get("on", ALL)
    if not isinstance(on, str) or on not in ON:
        return _("it runs on `all` hosts or on the `first`.")
    if on == FIRST and stage["kind"] != "command":
        return _("only a command on the hosts can be for one of them.")
    return ""


def check_paths(value: str) -> None:
    """Refuse paths that lead out of a release: absolute ones, and any with `..`."""
    for line in value.splitlines():
        path = line.strip()
        parts = path.rstrip("/").split("/")
        bad = path.startswith(("/", "-")) or any(p in {"..", ".", ""} for p in parts)
        if path and (bad or any(ord(letter) < 32 for letter in path)):
            words = _("%(path)s is no path within a release.")
            raise ValidationError(words % {"path": repr(path)[:80]})


def paths(value: str) -> tuple[str, ...]:
    """Give the paths of a text, a line each, without empty ones."""
    return tuple(line.strip() for line in value.splitlines() if line.strip())
