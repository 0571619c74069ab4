"""How an Ansible run is to be done: what people may choose for one run, checked, and the limits that the portal sets."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import psutil
from django.utils.translation import gettext as _

from adminset.errors import DomainError

MOST_VERBOSE = 4
MOST_WORDS, LONGEST_WORD = 50, 200
MEBIBYTE = 2**20
FLAGS = ("check", "diff", "facts", "mitogen")
LISTS = ("tags", "skip_tags", "limit")
NAMES = frozenset({*FLAGS, *LISTS, "verbosity", "start_at_task"})


@dataclass(frozen=True)
class PlayOptions:
    """What one run may choose; all of it is harmless to give on a command line.

    `limit` names hosts of the run (* and ? stand for letters), no names: all of them. `facts`: None as the play says
    (a module none), True before a module too, False only where a play asks for them.
    """

    check: bool = False
    diff: bool = False
    facts: bool | None = None
    mitogen: bool = False
    tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ()
    limit: tuple[str, ...] = ()
    verbosity: int = 0
    start_at_task: str = ""

    def words(self) -> list[str]:
        """Return them as arguments of ansible-playbook; each value stays in one word with its option."""
        words = ["--check"] if self.check else []
        words += ["--diff"] if self.diff else []
        words += [f"--tags={','.join(self.tags)}"] if self.tags else []
        words += [f"--skip-tags={','.join(self.skip_tags)}"] if self.skip_tags else []
        if self.start_at_task:
            words.append(f"--start-at-task={self.start_at_task}")
        if self.verbosity:
            words.append(f"-{'v' * self.verbosity}")
        return words


@dataclass(frozen=True)
class RunOptions:
    """How to run: where the private directory goes, what the run chose, and the limits in seconds.

    `forks` hosts are worked on at once. `variables` reach the playbook as extra variables that are never evaluated;
    `secrets` are such variables that are masked in all output. `roles` are the files of each role by its name.
    `wrapper` stands before the words of the process, where {directory} is the private directory and {sockets} that of the
    connections; `owner` is the user id and group id that they are given to. `mitogen_path` is where ansible_mitogen's strategies are.
    """

    private_root: Path
    timeout: float
    forks: int = 10
    connect_timeout: float = 10.0
    idle_timeout: float | None = None
    play: PlayOptions = PlayOptions()
    variables: Mapping[str, object] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, object] = field(default_factory=dict, repr=False)
    roles: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    wrapper: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None
    mitogen_path: str = ""


def read_options(
    raw: Mapping[str, object], hosts: Collection[str] | None = None
) -> PlayOptions:
    """Check what a form, a request or a stored run says of a run.

    `hosts` are the names that `limit` may hold; None where they are not known yet.
    Lists may be one text separated by commas. Raises DomainError with a sentence for each option that is wrong.
    """
    wrong: dict[str, str] = {}
    for name in set(raw) - NAMES:
        wrong[str(name)] = _("There is no option %(name)s.") % {"name": repr(name)}
    values: dict[str, object] = {}
    for name in NAMES & set(raw):
        try:
            values[name] = _value(name, raw[name])
        except ValueError as error:
            wrong[name] = str(error)
    limit = _texts(values.get("limit"))
    outside = [one for one in limit if not within([one], hosts or ())]
    if hosts is not None and outside:
        words = _("These are no hosts of the run: %(names)s.")
        wrong["limit"] = words % {"names": ", ".join(outside[:10])}
    if wrong:
        raise DomainError(" ".join(wrong[name] for name in sorted(wrong)), fields=wrong)
    return PlayOptions(**values)  # type: ignore[arg-type]


def within(limit: Collection[str], hosts: Collection[str]) -> list[str]:
    """Return those of the hosts that a limit names; all of them without a limit."""
    if not limit:
        return list(hosts)
    return [name for name in hosts if any(fnmatchcase(name, one) for one in limit)]


def without_limit(options: Mapping[str, object]) -> dict[str, object]:
    """Give options for hosts that are within the limit already."""
    return {name: value for name, value in options.items() if name != "limit"}


def _texts(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _value(name: str, value: object) -> object:
    if name in FLAGS:
        if not isinstance(value, bool):
            raise ValueError(_("%(name)s is yes or no.") % {"name": name})
        return value
    if name in LISTS:
        return _list(name, value)
    if name == "verbosity":
        if isinstance(value, bool) or value not in range(MOST_VERBOSE + 1):
            raise ValueError(_("Verbosity is a number from 0 to 4."))
        return value
    return _word(name, value) if value else ""


def _list(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if not isinstance(value, (list, tuple)) or (
        name != "limit" and len(value) > MOST_WORDS
    ):
        raise ValueError(_("%(name)s is a list of at most 50 words.") % {"name": name})
    words = tuple(_word(name, one) for one in value)
    # Ansible's own patterns (`!web1`, `a:&b`, `web[1:3]`) are not meant: only names, * and ?.
    if any(set(word) & set(",[]!&:@" if name == "limit" else ",") for word in words):
        raise ValueError(_("%(name)s holds signs that it cannot.") % {"name": name})
    return words


def _word(name: str, value: object) -> str:
    """Refuse what a command line, a terminal or a template could read as something else."""
    word = value if isinstance(value, str) else ""
    if not word.strip() or len(word) > LONGEST_WORD or not word.isprintable():
        raise ValueError(
            _("%(name)s holds an empty or too long word, or control characters.")
            % {"name": name}
        )
    if word.lstrip().startswith("-") or "{{" in word or "{%" in word:
        raise ValueError(
            _("%(name)s holds a word with a dash in front, or a template.")
            % {"name": name}
        )
    return word


def forks_for(asked: int, cap: int, hosts: int, megabytes_each: int) -> int:
    """Return how many hosts Ansible works on at once.

    The least of: what the run asks for, the portal's cap, the number of hosts, and the free memory by what one fork
    takes (in MB); at least 1.
    """
    free = psutil.virtual_memory().available // MEBIBYTE
    return max(1, min(asked, cap, hosts, free // max(1, megabytes_each)))


def mitogen_strategies(configured: str) -> str:
    """Return the folder of Mitogen's strategies: of the setting, else of the installed package.

    Raises DomainError where there is none.
    """
    folder = Path(configured) if configured else None
    if folder is None:
        found = importlib.util.find_spec("ansible_mitogen")
        for place in (found.submodule_search_locations or []) if found else []:
            folder = Path(place) / "plugins" / "strategy"
    if folder is None or not (folder / "mitogen_linear.py").is_file():
        raise DomainError(
            _("Mitogen is not installed here, so the run cannot use it."),
            _(
                "Run without Mitogen, or install it and let ADMINSET_ANSIBLE_MITOGEN_PATH name its folder plugins/strategy."
            ),
            fields={"mitogen": _("Mitogen is not installed here.")},
        )
    return str(folder)
