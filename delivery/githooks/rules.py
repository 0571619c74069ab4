"""Which pushes a web-hook is for: patterns of branches, tags and paths, in and out; shell-like, on the whole text."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from django.utils.translation import gettext as _

from delivery.githooks.pushes import Push
from delivery.models import Deploy, GitHook


def why_not(hook: GitHook, push: Push) -> str:
    """Say why a push is not for a web-hook; "" where it is."""
    if not push.commit:
        return _("%(ref)s was taken away.") % {"ref": push.name}
    tag = push.ref_kind == Deploy.RefKind.TAG
    wanted = hook.tags if tag else hook.branches
    unwanted = hook.not_tags if tag else hook.not_branches
    if not fits(push.name, wanted):
        return _("%(ref)s is none of what this web-hook is for.") % {"ref": push.words}
    if fits(push.name, unwanted):
        return _("%(ref)s is left out by a rule.") % {"ref": push.words}
    return "" if tag else _why_not_paths(hook, push)


def _why_not_paths(hook: GitHook, push: Push) -> str:
    """Look at the files; where the message does not name all of them, it counts: better once too often than never."""
    if push.paths is None or not (hook.paths or hook.not_paths):
        return ""
    inside = [path for path in push.paths if not hook.paths or fits(path, hook.paths)]
    if any(not fits(path, hook.not_paths) for path in inside):
        return ""
    return _("Nothing changed in the paths that count.")


def fits(text: str, patterns: Iterable[str]) -> bool:
    """Say whether one of some patterns fits the whole text; `docs/` stands for all below it."""
    return any(
        fnmatchcase(text, f"{one}*" if one.endswith("/") else one) for one in patterns
    )
