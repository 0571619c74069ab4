"""Finds every command that a line would run: behind ; && | and newlines, in substitutions, behind sudo, env, sh -c and the like."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from tasks.guard.shell_budget import Budget
from tasks.guard.shell_marks import UNKNOWN_SCRIPT, Word
from tasks.guard.shell_prints import printed_by_pipe
from tasks.guard.shell_scan import Scanner
from tasks.guard.shell_wrappers import Script, inside, plain_name, reads_scripts

ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)\Z", re.DOTALL)
KEYWORDS = frozenset(
    [
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "while",
        "until",
        "do",
        "done",
        "case",
        "esac",
        "!",
        "{",
        "}",
        "coproc",
    ]
)
DECLARE = frozenset(["export", "declare", "typeset", "local", "readonly"])
# Scripts in scripts, and commands of a line, as far as the guard follows them.
DEEPEST, MOST, MOST_PIPED = 8, 2000, 20
LONGEST_VALUE = 4096
LONGEST = 65536
GOES_ON = ("|", "||", "&&", "|&")


@dataclass(frozen=True)
class Simple:
    """One command with its words.

    Attributes:
        redirects: (operator, target). hidden: what it runs cannot be told from the line.
    """

    words: tuple[Word, ...]
    redirects: tuple[tuple[str, Word], ...] = ()
    hidden: bool = False

    @cached_property
    def text(self) -> str:
        """The command in one line."""
        parts = [word.text for word in self.words]
        parts += [f"{operator} {word.text}" for operator, word in self.redirects]
        return " ".join(parts)

    @property
    def shown(self) -> str:
        """The command for readers: what only the shell knows is three dots."""
        words = [*(("", word) for word in self.words), *self.redirects]
        parts = [f"{operator} {word.script}".strip() for operator, word in words]
        return " ".join(parts).replace(UNKNOWN_SCRIPT, "\u2026")

    @cached_property
    def plain_name(self) -> str | None:
        """Its name without a path; None where it has none, or one that only the shell makes of it."""
        if not self.words or self.words[0].glob:
            return None
        return plain_name(self.words)

    @cached_property
    def certain(self) -> "Simple":
        """The command without the words of which a part is left to the shell."""
        if all(word.known for word in self.words):
            return self
        return replace(self, words=tuple(word for word in self.words if word.known))


# What the guard has not looked at.
UNSEEN = Simple((), hidden=True)


@dataclass
class _Draft:
    """A command that is being read."""

    words: list[Word] = field(default_factory=list)
    redirects: list[tuple[str, Word]] = field(default_factory=list)

    def done(self) -> Simple:
        return Simple(tuple(self.words), tuple(self.redirects))


@dataclass(frozen=True)
class _Input:
    """What a command finds: the variables; whether it reads what another prints, and that text where it is known."""

    variables: Mapping[str, str]
    piped: bool
    given: str | None


class _Parsing:
    """One look at a line, with what it may still cost."""

    def __init__(self) -> None:
        self.found: list[Simple] = []
        self.budget = Budget()
        # Where `cd` has led, as far as the line tells.
        self._folder = ""

    def script(self, text: str, depth: int, variables: Mapping[str, str]) -> None:
        """Take the commands of a script, and of the scripts inside of it."""
        known = depth <= DEEPEST and len(self.found) <= MOST
        if not known or not self.budget.has_script(text):
            self.found.append(UNSEEN)
            return
        printed = partial(_printed, depth=depth, budget=self.budget)
        scanner = Scanner(text, variables, printed, self.budget)
        for pipe in pipes(scanner):
            self._pipe(pipe, depth, scanner.variables)
        for inner in scanner.nested:
            self.script(inner, depth + 1, scanner.variables)

    def _pipe(
        self, pipe: list[Simple], depth: int, variables: Mapping[str, str]
    ) -> None:
        for place, command in enumerate(pipe):
            near = 0 < place < MOST_PIPED
            given = printed_by_pipe(pipe[:place]) if near else None
            self._command(command, depth, _Input(variables, place > 0, given))

    def _command(self, command: Simple, depth: int, about: _Input) -> None:
        """Take one command and what it runs."""
        if len(self.found) > MOST:
            return
        words, given = command.words, about.given
        ran = [each for each in inside(words, command.redirects, given) if each]
        reads = about.piped and given is None and not ran and reads_scripts(words)
        unknown = bool(words) and not words[0].known
        hidden = unknown or reads or (depth >= DEEPEST and bool(ran))
        self.found.append(replace(command, hidden=hidden))
        self._follow(command)
        for each in ran if depth < DEEPEST else ():
            if isinstance(each, Script):
                variables = {**about.variables, **each.arguments}
                self.script(each.text, depth + 1, variables)
            else:
                inner = Simple(tuple(each), command.redirects)
                self._command(inner, depth + 1, about)

    def _follow(self, command: Simple) -> None:
        """Follow `cd`; of what runs elsewhere, add how it reads with whole paths."""
        texts = [word.text for word in command.words]
        if texts[:1] == ["cd"] or texts[:1] == ["pushd"]:
            whole = len(texts) > 1 and texts[1].startswith("/")
            self._folder = texts[1].rstrip("/") + "/" if whole else ""
        elif not self._folder or len(texts) < 2:
            return
        elif self.budget.has_value(len(self._folder) * len(texts)):
            words = [_placed(word, self._folder) for word in command.words[1:]]
            self.found.append(replace(command, words=(command.words[0], *words)))


def _placed(word: Word, folder: str) -> Word:
    plain = word.text[:1] not in ("", "-", "/", "~", "$") and "=" not in word.text
    return Word(folder + word.marks, word.quoted) if plain else word


def commands_of(text: str) -> list[Simple]:
    """List all commands that a line would run, as far as the line tells; wrappers stand before what they wrap."""
    parsing = _Parsing()
    parsing.script(text[:LONGEST], 0, {})
    if len(parsing.found) > MOST or parsing.budget.spent or len(text) > LONGEST:
        parsing.found.append(UNSEEN)
    return parsing.found


def is_unfinished(text: str) -> bool:
    """Say whether the shell would ask for more: an open quote or bracket, a line that goes on."""
    scanner = Scanner(text[:LONGEST])
    last = ""
    for token in scanner.tokens():
        last = token.text if token.kind == "operator" else ""
    return scanner.open or last in GOES_ON


def _printed(script: str, depth: int, budget: Budget) -> str | None:
    """Say what a substitution prints, where that is known."""
    if depth >= DEEPEST or not budget.has_script(script):
        return None
    below = partial(_printed, depth=depth + 1, budget=budget)
    found = list(pipes(Scanner(script, {}, below, budget)))
    return printed_by_pipe(found[0]) if len(found) == 1 else None


def pipes(scanner: Scanner) -> Iterator[list[Simple]]:
    """Give the commands of a text, those that are joined by pipes together."""
    pipe: list[Simple] = []
    draft = _Draft()
    redirect = ""
    for token in scanner.tokens():
        if token.kind == "word":
            if redirect:
                draft.redirects.append((redirect, token.word))
            else:
                _take(draft, token.word, scanner)
            redirect = ""
        elif token.kind == "redirect":
            redirect = token.text
        elif token.text in ("|", "|&"):
            # What stands in brackets before it prints something unknown.
            pipe.append(draft.done())
            draft = _Draft()
        else:
            yield from _ended(pipe, draft, scanner)
            pipe, draft = [], _Draft()
    yield from _ended(pipe, draft, scanner)


def _ended(
    pipe: list[Simple], draft: _Draft, scanner: Scanner
) -> Iterator[list[Simple]]:
    """End a pipe; a command that sets variables sets them for what follows."""
    whole = [*pipe, draft.done()]
    for command in whole:
        _declare(command, scanner)
    if any(command.words or command.redirects for command in whole):
        yield whole


def _take(draft: _Draft, word: Word, scanner: Scanner) -> None:
    """Put a word to its command; keywords and assignments before it are none of its words."""
    if [each.text for each in draft.words[:1]] == ["function"] and word.text == "{":
        draft.words.clear()
        return
    if draft.words:
        draft.words.append(word)
        return
    if not word.quoted and word.text in KEYWORDS:
        return
    assigned = ASSIGNMENT.match(word.text)
    if assigned and word.known:
        scanner.variables[assigned.group(1)] = assigned.group(2)[:LONGEST_VALUE]
        if assigned.group(1) == "PROMPT_COMMAND":
            scanner.nested.append(assigned.group(2))
    elif assigned:
        scanner.variables.pop(assigned.group(1), None)
    else:
        draft.words.append(word)


def _declare(command: Simple, scanner: Scanner) -> None:
    """Follow `for x in ...`, `export x=...`."""
    texts = [word.text for word in command.words]
    if len(texts) > 3 and texts[0] == "for" and texts[2] == "in":
        scanner.variables[texts[1]] = " ".join(texts[3:])[:LONGEST_VALUE]
    elif texts and texts[0] in DECLARE:
        for text in texts[1:]:
            assigned = ASSIGNMENT.match(text)
            if assigned:
                value = assigned.group(2)[:LONGEST_VALUE]
                scanner.variables[assigned.group(1)] = value
