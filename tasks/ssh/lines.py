"""What is sent to a host to run a command or a script there: argument vectors and stdin, never text joined into text."""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tasks.remote_stop import TOKEN_VARIABLE
from tasks.targets import Login

# What a script is run by, the first that is there; and how its file is called.
INTERPRETERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "sh": (("/bin/sh",),),
    "python": (("python3",), ("python",)),
    "powershell": (("pwsh", "-NoLogo", "-NoProfile", "-NonInteractive", "-File"),),
}
ENDINGS = {"sh": "sh", "python": "py", "powershell": "ps1"}
LONGEST_SCRIPT = 1024 * 1024
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

# $1 a mark: the line before what is meant for this shell (sudo leaves the password there where it needs none).
_TAKE = r"""while IFS= read -r line; do [ "$line" = "$1" ] && break; done; """
# The outer shell waits, so that a command which clears its environment is still its child. $2 the command.
_COMMAND = '/bin/sh -c "$1" </dev/null; exit $?'
_COMMAND_WITH_VALUES = (
    _TAKE + 'values=$(cat); eval "$values"; /bin/sh -c "$2" </dev/null; exit $?'
)
# $1 the mark, $2 the folder's name, $3 the script's, $4 and $5 the bytes of the runner and of both. A script that did
# not come whole is not run. Whatever ends this shell, the folder goes with it; where it is killed, what stops it does that.
_SCRIPT = (
    r"""
for base in /tmp /var/tmp "$HOME"; do
  mkdir -m 700 -- "$base/$2" 2>/dev/null && break
  base=
done
[ "$base" ] || { echo "$1 nowhere" >&2; exit 126; }
d=$base/$2
trap 'rm -rf -- "$d"' EXIT
trap 'exit 143' HUP INT TERM
"""
    + _TAKE
    + r"""
cat >"$d/all" || { echo "$1 full" >&2; exit 126; }
[ "$(($(wc -c <"$d/all")))" -eq "$5" ] || { echo "$1 cut" >&2; exit 126; }
head -c "$4" "$d/all" >"$d/run" && tail -c "+$(($4 + 1))" "$d/all" >"$d/$3" || { echo "$1 full" >&2; exit 126; }
rm -f -- "$d/all"
chmod 700 "$d/$3"
/bin/sh "$d/run" "$d/$3" </dev/null
exit $?
"""
)

# The same, but what follows on stdin is the script's own. Nothing follows before it asks, so that `head` takes no more.
# It first says that it is there: where ssh ends before that, nothing of it has run.
_READING = 'echo "$1 there" >&2\n' + _SCRIPT.replace(
    'cat >"$d/all"', 'head -c "$5" >"$d/all"'
).replace('"$d/$3" </dev/null', '"$d/$3"')


@dataclass(frozen=True)
class Script:
    """A script, its language (sh, python, powershell), its arguments, and values for its environment."""

    text: str
    language: str = "sh"
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Order:
    """A line for the exec channel, what follows on its stdin, and the marks by which it is found again.

    `token` marks the processes, `mark` begins what the portal's own part says, `folder` is to be removed afterwards.
    `become` says that the line asks sudo, so that the password goes before all else.
    """

    line: str
    given: bytes = field(repr=False, default=b"")
    token: str = ""
    mark: str = ""
    folder: str = ""
    become: bool = True


def refusal(script: Script) -> str:
    """Return why a script is not even tried, or an empty text."""
    if "\0" in "".join([script.text, *script.arguments, *script.environment.values()]):
        return "The script or one of its arguments holds a NUL character. Remove it."
    if len(script.text.encode(errors="replace")) > LONGEST_SCRIPT:
        return "The script is longer than 1 MiB."
    if script.language not in INTERPRETERS:
        return f"There is no way to run scripts in {script.language}."
    wrong = [name for name in script.environment if not VARIABLE.fullmatch(name)]
    if wrong:
        return f"A variable cannot be called {wrong[0]}."
    return ""


def as_user(login: Login) -> list[str]:
    """Return the words that go before a command to run it as whom the login becomes; sudo reads a password line from stdin."""
    if not login.become_method:
        return []
    user = ["-u", login.become_user] if login.become_user else []
    return ["sudo", "-S", "-p", "", *user, "--"]


def marked(script: str, token: str, *arguments: str) -> list[str]:
    """Return the words that run one of the portal's own scripts under a mark: what it starts has it in its environment.

    `env` would do the same for one process more on every host.
    """
    mark = f"{TOKEN_VARIABLE}={token}"
    return [
        "/bin/sh",
        "-c",
        f'export "$1"; shift; {script}',
        "adminset",
        mark,
        *arguments,
    ]


def command_order(
    login: Login, command: str, environment: Mapping[str, str] | None = None
) -> Order:
    """Return the order for a shell command. The mark in its environment finds every process of it again."""
    token, mark = secrets.token_hex(16), secrets.token_hex(8)
    if not environment:
        words = marked(_COMMAND, token, command)
        return Order(shlex.join([*as_user(login), *words]), token=token)
    words = marked(_COMMAND_WITH_VALUES, token, mark, command)
    given = f"{mark}\n{_exports(environment)}".encode(errors="surrogateescape")
    return Order(shlex.join([*as_user(login), *words]), given, token, mark)


def script_order(
    login: Login, script: Script, token: str = "", *, reads: bool = False
) -> Order:
    """Return the order for a script: it goes over stdin into a private folder and is removed when it ended.

    Args:
        token: the mark of its processes; a new one where it is empty.
        reads: what follows on stdin is the script's; none of it may be sent before the script asks for it.
    """
    token, mark = token or secrets.token_hex(16), secrets.token_hex(8)
    folder = f".adminset-{secrets.token_hex(8)}"
    text = script.text.replace("\r\n", "\n")
    runner = (_exports(script.environment) + _runner(script, text, mark)).encode(
        errors="surrogateescape"
    )
    body = text.encode(errors="surrogateescape")
    sizes = [str(len(runner)), str(len(runner) + len(body))]
    name = f"script.{ENDINGS[script.language]}"
    words = marked(_READING if reads else _SCRIPT, token, mark, folder, name, *sizes)
    line = shlex.join([*as_user(login), *words])
    return Order(line, f"{mark}\n".encode() + runner + body, token, mark, folder)


def _exports(environment: Mapping[str, str]) -> str:
    return "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()
    )


def _runner(script: Script, text: str, mark: str) -> str:
    """Return the text that finds the interpreter and becomes it."""
    arguments = shlex.join(script.arguments)
    named = _named_interpreter(text)
    choices = (named,) if named else INTERPRETERS[script.language]
    tries = [
        f'command -v {shlex.quote(words[0])} >/dev/null 2>&1 && exec {shlex.join(words)} "$1" {arguments}\n'
        for words in choices
    ]
    missing = f"{mark} missing {choices[0][0]}"
    return "".join([*tries, f"echo {shlex.quote(missing)} >&2\nexit 127\n"])


def _named_interpreter(text: str) -> tuple[str, ...]:
    """Return what the first line of a script names (#!/bin/bash -e); `env` is looked through, so that what is missing is named."""
    first = text.partition("\n")[0]
    words = first[2:].split() if first.startswith("#!") else []
    if words and words[0].endswith("/env"):
        words = words[2:] if words[1:2] == ["-S"] else words[1:]
    return tuple(words)
