"""Takes secrets out of command lines before they reach the audit trail: what a program is given as a password, by its own rules."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from adminset import redaction
from adminset.command_programs import BELOW, FED, NOTHING, PROGRAMS, SAYS, TOLD, Takes
from adminset.redaction import MASK

# Of a longer line the beginning is given: the trail needs no more to tell what was done.
LONGEST = 4096
# Quotes within quotes are followed so deep: sh -c "ssh web1 'mysql ...'".
DEEPEST = 4
# Each kind of piece begins with a character of its own, so that a hostile line costs no more than its length.
_TOKEN = re.compile(
    r"(?P<blank>[^\S\n]+)|(?P<mark><<<|[;|&()<>`\n])"
    r"""|(?P<word>(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.?|[^\s"'\\;|&()<>`])+)""",
    re.DOTALL,
)
_QUOTED = re.compile(
    r"""\\.?|"(?P<double>(?:\\.|[^"\\])*)"?|'(?P<single>[^']*)'?""", re.DOTALL
)
# By their ends: a password_file or an access_key_id is none.
_NAMED = re.compile(
    r"(?:passw(?:or)?d|passphrase|secret|token|(?:api|access|secret|encryption|account)[_-]?key"
    r"|(?:^|[_.-]|ssh|store|key)pass|[_.-]pwd?|[_.-]creds|psk|rediscli_auth|oauth2-bearer)\Z",
    re.IGNORECASE,
)
_LONG = re.compile(r"-{1,2}[\w.-]{2,100}")
_ASKED = re.compile(
    r"-*(?:ask|change|create|delete|forget|generate|get|list|no|prompt|require|reset|revoke|rotate|show|use|with|without)[_-]",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(r"([\w./-]{1,100})=")
_HEADER = re.compile(
    r"(?:-H|--header=)?(?:(?:proxy-)?authorization|(?:set-)?cookie|[\w-]{0,60}(?:token|secret|passw(?:or)?d|key|auth)):\s*",
    re.IGNORECASE,
)
# What openssl calls a password, and others after it.
_PREFIX = re.compile(r"pass:|/pass(?:word)?:", re.IGNORECASE)
# A variable, and where else a program finds its password: nothing is told by these.
_TELLS_NOTHING = re.compile(
    r'"?\$(?:\w+|\{\w+\})"?|(?:file|env|fd):.*|stdin|-', re.DOTALL
)
_SHAPES = (
    # In SQL, whoever reads the line.
    (
        re.compile(
            r"\b((?:identified\s{1,9}(?:with\s{1,9}\S{1,60}\s{1,9})?(?:by|as)|password)(?:\s{1,9}password|\s{1,9}for\s{1,9}\S{1,80})?(?:\s{1,9}|\s{0,9}[=(]\s{0,9}))"
            r"""(?:'(?:[^'\\]|\\.|''){1,1000}'|"(?:[^"\\]|\\.){1,1000}")""",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    # Up to the last @: a password that is typed has one now and then.
    (re.compile(r"(://[^\s/@:]{0,100}):[^\s/'\"]{1,400}@"), rf"\1:{MASK}@"),
    # Tokens that tell what they are.
    (
        re.compile(
            r"\b(gh[pousr]_|github_pat_|glpat-|dckr_pat_|npm_|xox[abposr]-|hvs\.|eyJ[\w-]{8,400}\.)[\w.-]{16,}"
        ),
        rf"\1{MASK}",
    ),
)


def clean_command(text: str) -> str:
    """Give a command line without secrets: those that `redaction.clean` finds, and what programs take for a password.

    A secret that is a plain word of a program's own (an argument of a script) cannot be told from other words. Of a line beyond 4,096
    characters only these are given.
    """
    text = redaction.without_known(text)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    for shape, mask in _SHAPES:
        text = shape.sub(mask, text)
    return redaction.without_shapes(_masked(text, 0))


@dataclass
class _Word:
    """A word as it was typed, and as the shell gives it on.

    Attributes:
        raw: with its quotes.
        bare: without.
        places: where each character of `bare` stands in `raw`.
    """

    raw: str
    bare: str = ""
    places: list[int] = field(default_factory=list)
    done: bool = False

    def __post_init__(self) -> None:
        quote, at = "", 0
        while at < len(self.raw):
            sign = self.raw[at]
            if sign == "\\" and quote != "'" and at + 1 < len(self.raw):
                at, sign = at + 1, self.raw[at + 1]
            elif sign == quote or (not quote and sign in "'\""):
                quote, at = "" if quote else sign, at + 1
                continue
            self.bare += sign
            self.places.append(at)
            at += 1

    def hide(self, start: int = 0) -> None:
        """Put a mask in the place of what begins at a character of `bare`, unless it tells nothing."""
        self.done = True
        if start >= len(self.places):
            return
        head, tail = self.raw[: self.places[start]], self.raw[self.places[start] :]
        if _TELLS_NOTHING.fullmatch(tail) and head[-1:] != "'":
            return
        last = self.raw[-1]
        closed = last if last in "'\"" and head.count(last) % 2 else ""
        self.raw = f"{head}{MASK}{closed}"

    def hide_behind(self, mark: str, start: int = 0) -> None:
        """The same for what stands behind a mark, where there is one."""
        at = self.bare.find(mark, start)
        if at >= 0:
            self.hide(at + len(mark))


class _Command:
    """The words of one command, up to the next `;`, `|` or the like."""

    def __init__(self) -> None:
        self.words: list[_Word] = []
        self.fed_by: _Command | None = None
        self.here: list[_Word] = []

    def judge(self) -> None:
        """Hide the values of those words that take a secret."""
        takes, name, program = NOTHING, "", 0
        waiting: Callable[[_Word], None] | None = None
        for at, word in enumerate(self.words):
            if waiting is not None and not _is_option(word.bare):
                waiting(word)
            waiting = None
            if word.done:
                continue
            known = word.bare.rpartition("/")[2].lower().removesuffix(".exe")
            if known in PROGRAMS:
                takes, name, program = PROGRAMS[known], known, at
            elif name in BELOW and BELOW[name][0].fullmatch(word.bare):
                takes, program = BELOW[name][1], at
            waiting = _shown(word) or _given(word, takes)
            if takes.login and at > program and word.bare[:1] not in ("-", "@"):
                word.hide_behind(takes.login)
        last = self.words[-1] if len(self.words) > program + 1 else None
        if takes.last and last is not None and not _is_option(last.bare):
            last.hide()
        self._hide_what_is_fed()

    def _hide_what_is_fed(self) -> None:
        typed = " ".join(word.bare for word in self.words[:40])
        if not FED.search(typed):
            return
        for word in self.here:
            word.hide()
        if self.fed_by and self.fed_by.words and self.fed_by.words[0].bare in SAYS:
            for word in self.fed_by.words[1:]:
                if not _is_option(word.bare):
                    word.hide()


def _is_option(bare: str) -> bool:
    return len(bare) > 1 and bare.startswith("-")


def _shown(word: _Word) -> Callable[[_Word], None] | None:
    """Hide what any program would take for a secret; say what is to be done with the next word."""
    bare = word.bare
    found = _HEADER.match(bare) or _PREFIX.match(bare) or _secret_name(bare)
    if found:
        word.hide(found.end())
        return None
    named = _LONG.fullmatch(bare) and _NAMED.search(bare) and not _ASKED.match(bare)
    if named or bare.lower() in TOLD or bare == "AUTH":
        return _Word.hide
    return None


def _secret_name(bare: str) -> re.Match[str] | None:
    """Find `name=` of a secret at the beginning of a word, or behind others: --from-literal=password=x."""
    at = 0
    while found := _ASSIGNED.match(bare, at):
        name = found.group(1)
        if name == "--from-literal":
            return re.compile(r"[^=]{0,100}=").match(bare, found.end())
        if _NAMED.search(name):
            return found
        at = found.end()
    return None


def _given(word: _Word, takes: Takes) -> Callable[[_Word], None] | None:
    """Hide what a program takes for a secret by its own options; say what is to be done with the next word."""
    bare = word.bare
    if takes.next_to(bare):
        return _Word.hide
    for option, mark in takes.options.items():
        hide = partial(_Word.hide_behind, mark=mark) if mark else _Word.hide
        at = _value_at(bare, option)
        if at == 0:
            return hide
        if at is not None:
            hide(word, start=at)
    if found := next((one for one in takes.attached if bare.startswith(one)), None):
        word.hide(len(found))
    return None


def _value_at(bare: str, option: str) -> int | None:
    """Say where in a word the value of an option begins: 0 where it is the next word, None where the word is not that option."""
    if len(option) > 1:
        if bare == f"--{option}":
            return 0
        return len(option) + 3 if bare.startswith(f"--{option}=") else None
    if re.fullmatch(rf"-[A-Za-z]{{0,6}}{option}", bare):
        return 0
    return 2 if bare.startswith(f"-{option}") else None


def _commands(tokens: list[tuple[str, _Word | str]]) -> Iterator[_Command]:
    command, before = _Command(), ""
    for kind, one in tokens:
        if isinstance(one, _Word):
            (command.here if before == "<<<" else command.words).append(one)
        elif kind == "mark" and one not in ("<<<", "<", ">"):
            yield command
            former, command = command, _Command()
            # The first half of `||` leaves an empty command between the two.
            command.fed_by = former if one == "|" else None
        before = before if kind == "blank" else str(one)
    yield command


def _masked(text: str, depth: int) -> str:
    tokens: list[tuple[str, _Word | str]] = []
    for found in _TOKEN.finditer(text):
        kind = str(found.lastgroup)
        part = found.group()
        tokens.append((kind, _Word(part) if kind == "word" else part))
    for command in _commands(tokens):
        command.judge()
    return "".join(
        _inside(one, depth) if isinstance(one, _Word) else one for _kind, one in tokens
    )


def _inside(word: _Word, depth: int) -> str:
    """Give a word, with what stands in its quotes judged as a command line of its own."""
    if word.done or depth >= DEEPEST or not re.search(r"\s", word.bare):
        return word.raw

    def judged(found: re.Match[str]) -> str:
        inner = found.group("single")
        if inner is not None:
            return found.group().replace(inner, _masked(inner, depth + 1), 1)
        inner = found.group("double")
        if not inner:
            return found.group()
        plain = re.sub(r'\\(["\\$`])', r"\1", inner)
        if (hidden := _masked(plain, depth + 1)) == plain:
            return found.group()
        return found.group().replace(inner, re.sub(r'(["\\])', r"\\\1", hidden), 1)

    return _QUOTED.sub(judged, word.raw)
