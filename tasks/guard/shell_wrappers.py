"""Programs that run other commands: how their own options end, and where the command or the script begins."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.guard.shell_marks import UNKNOWN_SCRIPT, Word
from tasks.guard.shell_quotes import strings_of

SHELLS = frozenset(["sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "rbash", "fish"])
# What runs the text that it reads.
READERS = SHELLS | frozenset(["at", "batch", "parallel"])
CODE = frozenset(
    [
        "python",
        "python2",
        "python3",
        "perl",
        "ruby",
        "node",
        "php",
        "lua",
        "tclsh",
        "awk",
        "gawk",
        "mawk",
    ]
)
SEARCHES = ("-exec", "-execdir", "-ok", "-okdir", "-x", "-X", "--exec")
LONGEST_NAME = 100


@dataclass(frozen=True)
class Script:
    """A text that a shell will run.

    Attributes:
        arguments: what $0, $1 ... are in it.
    """

    text: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wrapper:
    """How a wrapping command reads.

    Attributes:
        values: its short options that take a value; longs: the long ones that take it in the next word.
        skip: how many words of its own stand before the command. script: options whose value is a script.
        joins: what follows is joined to a script, as ssh and watch do.
    """

    values: str = ""
    longs: frozenset[str] = frozenset()
    skip: int = 0
    script: str = ""
    joins: bool = False


def _longs(words: str) -> frozenset[str]:
    return frozenset(f"--{word}" for word in words.split())


WRAPPERS = {
    "sudo": Wrapper(
        "ugpCDRThrtU",
        _longs("user group prompt chdir chroot close-from role type other-user host"),
    ),
    "doas": Wrapper("uC"),
    "env": Wrapper("uCS", _longs("unset chdir split-string"), script="S"),
    "nohup": Wrapper(),
    "setsid": Wrapper(),
    "command": Wrapper(),
    "builtin": Wrapper(),
    "exec": Wrapper("a"),
    "time": Wrapper("fo", _longs("format output")),
    "nice": Wrapper("n", _longs("adjustment")),
    "ionice": Wrapper("cnpPu", _longs("class classdata")),
    "chrt": Wrapper("TPD", skip=1),
    "taskset": Wrapper(skip=1),
    "timeout": Wrapper("ks", _longs("kill-after signal"), skip=1),
    "stdbuf": Wrapper("ioe", _longs("input output error")),
    "unbuffer": Wrapper(),
    "strace": Wrapper("aAbeEIoOpPsSuUX"),
    "ltrace": Wrapper("aADeFlnopsuwx"),
    "busybox": Wrapper(),
    "toybox": Wrapper(),
    "chroot": Wrapper("", _longs("userspec groups"), skip=1),
    "unshare": Wrapper("RwSG"),
    "nsenter": Wrapper("tSGrw", _longs("target setuid setgid")),
    "setpriv": Wrapper("", _longs("reuid regid groups")),
    "systemd-run": Wrapper("pEMHu", _longs("unit property setenv uid gid machine")),
    "flock": Wrapper("wEc", _longs("timeout command"), skip=1, script="c"),
    "watch": Wrapper("nq", _longs("interval"), joins=True),
    "xargs": Wrapper(
        "aEeIiLlnPsd", _longs("arg-file delimiter max-args max-procs replace")
    ),
    "parallel": Wrapper("jaS", _longs("jobs sshlogin"), joins=True),
    "fakeroot": Wrapper("lsib"),
    "script": Wrapper("cEIOBTmo", _longs("command"), script="c"),
    "su": Wrapper("cgGsw", _longs("command group shell"), script="c"),
    "runuser": Wrapper("cugGsw", _longs("command user group shell"), script="c"),
    "sg": Wrapper("c", skip=1, script="c", joins=True),
    "ssh": Wrapper("bcDEeFIiJLlmOopQRSWwB", skip=1, joins=True),
    "pkexec": Wrapper("", _longs("user")),
    "eatmydata": Wrapper(),
    "proxychains": Wrapper("f"),
    "torsocks": Wrapper(),
    "rlwrap": Wrapper("bCDfHlmpPqsS"),
    "chpst": Wrapper("uUbePnmdopfcrt"),
    "start-stop-daemon": Wrapper(),
}
CONTAINERS = {
    name: Wrapper("euwlnc", _longs("env user workdir namespace container"), skip=1)
    for name in ("docker", "podman", "nerdctl", "kubectl", "oc", "lxc", "machinectl")
}


def plain_name(words: Sequence[Word]) -> str:
    """Give the name of a command without its path."""
    return words[0].text.rpartition("/")[2][:LONGEST_NAME] if words else ""


def reads_scripts(words: Sequence[Word]) -> bool:
    """Say whether a command runs the text that it reads: a shell without a script of its own."""
    if plain_name(words) not in READERS:
        return False
    own = [word.text for word in words[1:]]
    named = any(not text.startswith("-") for text in own)
    return plain_name(words) not in SHELLS or not named or "-s" in own


def inside(
    words: Sequence[Word], redirects: Sequence[tuple[str, Word]], given: str | None
) -> Iterator[Script | list[Word]]:
    """Give what a command runs besides itself.

    Args:
        given: the text that it reads from a pipe, where it is known.
    """
    name, rest = plain_name(words), list(words[1:])
    if name in READERS:
        yield from _read(words, redirects, given)
    if not name and words:
        # What is not known may be nothing: then the next word is the command.
        yield rest
    elif name in SHELLS:
        yield from _shell(rest)
    elif name in CODE:
        yield from _code(rest)
    elif name in WRAPPERS:
        yield from _wrapped(WRAPPERS[name], name, rest, given)
    elif name in CONTAINERS:
        yield _container(CONTAINERS[name], rest)
    else:
        yield from _others(name, rest)


def _read(
    words: Sequence[Word], redirects: Sequence[tuple[str, Word]], given: str | None
) -> Iterator[Script]:
    """Give the text that a shell reads instead of a file."""
    for operator, word in redirects:
        if operator == "<<<":
            yield Script(word.script)
    if given is not None and reads_scripts(words):
        yield Script(given)


def _container(wrapper: Wrapper, rest: list[Word]) -> list[Word]:
    texts = [word.text for word in rest]
    begin = texts.index("exec") + 1 if "exec" in texts else len(rest)
    return _command(wrapper, rest[begin:])


def _others(name: str, rest: list[Word]) -> Iterator[Script | list[Word]]:
    if name == "eval":
        yield _joined(rest)
    elif name == "trap" and rest and not rest[0].text.startswith("-"):
        yield _joined(rest[:1])
    elif name == "alias":
        for word in rest:
            yield Script(word.script.partition("=")[2])
    elif name in ("find", "fd", "fdfind"):
        yield from _found(rest)
    elif name in (".", "source") and rest and not rest[0].known:
        yield Script(UNKNOWN_SCRIPT)


def _joined(words: Sequence[Word]) -> Script:
    return Script(" ".join(word.script for word in words))


def _shell(rest: list[Word]) -> Iterator[Script | list[Word]]:
    script = _script_of(rest, "c")
    if script:
        place, word = script
        texts = [each.text for each in rest[place + 1 :]]
        arguments = {str(number): text for number, text in enumerate(texts)}
        arguments["@"] = arguments["*"] = " ".join(texts[1:])
        yield Script(word.script, arguments)
    elif any(not word.known and not word.text for word in rest):
        # `bash <(curl ...)`: a file whose name only the shell knows.
        yield Script(UNKNOWN_SCRIPT)


def _script_of(rest: Sequence[Word], letter: str) -> tuple[int, Word] | None:
    """Find the word behind an option such as -c, which may stand in a bundle (-lc)."""
    for place, word in enumerate(rest):
        text = word.text
        if not text.startswith(("-", "+")):
            return None
        if not text.startswith("--") and letter in text[1:]:
            for further in range(place + 1, len(rest)):
                if not rest[further].text.startswith("-"):
                    return further, rest[further]
            return None
    return None


def _code(rest: list[Word]) -> Iterator[Script | list[Word]]:
    """Take every quoted string of a program's text for a command: too many rather than too few."""
    option = any(
        word.text[:1] == "-" and set("ceErR") & set(word.text) for word in rest
    )
    for word in rest:
        if not option and "system" not in word.text:
            continue
        strings = list(strings_of(word.text))
        yield from (Script(text) for text in strings if text)
        if len(strings) > 1:
            yield Script(" ".join(strings))


def _wrapped(
    wrapper: Wrapper, name: str, rest: list[Word], given: str | None
) -> Iterator[Script | list[Word]]:
    for place, word in enumerate(rest):
        text = word.text
        for letter in wrapper.script:
            if text == f"-{letter}" or text in ("--command", "--split-string"):
                yield _joined(rest[place + 1 : place + 2])
            elif text.startswith((f"-{letter}", "--command=", "--split-string=")):
                yield Script(re.sub(r"\A-\w|\A--[\w-]+=", "", word.script))
    found = _command(wrapper, rest)
    if wrapper.joins and found:
        yield _joined(found)
    if name == "xargs" and found:
        found += [Word(part) for part in (given or "").split()]
    yield found


def _command(wrapper: Wrapper, rest: Sequence[Word]) -> list[Word]:
    """Step over the options, assignments and own words of a wrapper."""
    skip, at = wrapper.skip, 0
    while at < len(rest):
        text = rest[at].text
        if text == "--":
            at += 1
            return list(rest[at + (skip if at + skip < len(rest) else 0) :])
        if text.startswith("--") or text in wrapper.longs:
            at += 2 if text in wrapper.longs else 1
        elif text.startswith("-") and len(text) > 1:
            at += 2 if text[-1] in wrapper.values and _bare(text, wrapper) else 1
        elif re.match(r"[A-Za-z_]\w*=", text) and not rest[at].quoted:
            at += 1
        elif skip:
            skip, at = skip - 1, at + 1
        else:
            return list(rest[at:])
    return []


def _bare(text: str, wrapper: Wrapper) -> bool:
    """Say whether the last letter of a bundle of options still wants its value (-u root, not -uroot)."""
    return not any(letter in wrapper.values for letter in text[1:-1])


def _found(rest: list[Word]) -> Iterator[list[Word]]:
    """Give the commands of find -exec."""
    behind = 0
    for place, option in enumerate(rest):
        if place >= behind and option.text in SEARCHES:
            command = []
            for word in rest[place + 1 :]:
                if word.text in (";", "+"):
                    break
                command.append(word)
            behind = place + 1 + len(command)
            begin = (w for w in rest[:place] if not w.text.startswith(("-", "(", "!")))
            start = next(begin, None)
            yield [start if start and w.text == "{}" else w for w in command]
