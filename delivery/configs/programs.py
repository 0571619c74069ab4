"""The programs that bring files of configuration to hosts and read them back, and the values that reach them by the environment."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from appconf.config.precedence import MASK
from appconf.config.rendering import HostTexts
from appconf.models import ConfigFile

SHELL = Path(__file__).parent / "sh"
# No variable of an environment is longer than 128 KiB; of these signs none takes more than 4 bytes.
PART_CHARACTERS = 24_000
# Lines of a secret that are shorter are not masked: they would black out half of any text.
SHORTEST_SECRET = 4
# Of what hosts tell 64 KiB are taken in (tasks/legs/hearing.py); the texts share the most of it.
TEXT_BUDGET = 48_000
MOST_FILES = 50
# Copies of a former file that stay on a host.
MOST_COPIES = 5
Values = dict[str, str]
# Keys of a host and a file, and the path of that file there.
Place = tuple[int, int, str]


@cache
def program(name: str) -> str:
    """Give a program: push or read."""
    parts = ("prelude", name)
    return "\n".join((SHELL / f"{part}.sh").read_text("utf-8") for part in parts)


@dataclass(frozen=True)
class Placed:
    """A file and where it lies on the hosts of an environment."""

    file: ConfigFile
    path: str


@dataclass(frozen=True)
class Load:
    """What goes to the hosts: `values` to all, the others to one each, by its id; what has secrets in it is among the `secret` ones."""

    values: Values
    hosts: Mapping[int, Values]
    secret: Mapping[int, Values]


def push_load(placed: Sequence[Placed], texts: Sequence[HostTexts], stamp: str) -> Load:
    """Give the values with which push.sh puts files in place.

    Args:
        stamp: part of the names of the copies that are kept of former files, such as 20260131-120000.
    """
    reloads = reload_commands(placed)
    values = {
        "COUNT": str(len(placed)),
        "SECONDS": str(settings.CONFIG_COMMAND_SECONDS),
        "RELOADS": str(len(reloads)),
        "KEEP": str(MOST_COPIES),
    }
    values |= {f"R{number}": command for number, command in enumerate(reloads)}
    for number, one in enumerate(placed):
        values |= _wanted(number, one, reloads, stamp)
    hosts, secret = {}, {}
    for each in texts:
        hosts[each.host.pk], secret[each.host.pk] = _parts(placed, each)
    return _named(values, hosts, secret)


def read_load(
    placed: Sequence[Placed], texts: Sequence[HostTexts], pushed: Container[Place]
) -> Load:
    """Give the values with which read.sh reads files back; the secrets go along to be masked there.

    Args:
        pushed: what a push put there; of others is said whether they are as they should be, and no text is sent.
    """
    values = {
        "COUNT": str(len(placed)),
        "BUDGET": str(TEXT_BUDGET),
        "MOST": str(settings.CONFIG_READ_BYTES),
        "MASK": MASK,
    }
    values |= {f"{number}_PATH": one.path for number, one in enumerate(placed)}
    hosts, secret = {}, {}
    for each in texts:
        own = {
            f"{number}_SHA": each.files[one.file.pk].sha256
            for number, one in enumerate(placed)
        }
        own |= {
            f"{number}_TEXT": "1"
            for number, one in enumerate(placed)
            if (each.host.pk, one.file.pk, one.path) in pushed
        }
        masks = mask_lines(each.plain.values())
        hosts[each.host.pk] = own | {"SECRETS": str(len(masks))}
        secret[each.host.pk] = {f"S{n}": line for n, line in enumerate(masks)}
    return _named(values, hosts, secret)


def reload_commands(placed: Iterable[Placed]) -> list[str]:
    """List the reload commands, each once, in the order of the files."""
    wanted = (one.file.reload_command.strip() for one in placed)
    return list(dict.fromkeys(command for command in wanted if command))


def mask_lines(secrets: Iterable[str]) -> list[str]:
    """List the lines of secrets that are masked, the longest first."""
    lines = {line for secret in secrets for line in secret.split("\n")}
    found = (line for line in lines if len(line) >= SHORTEST_SECRET)
    return sorted(found, key=lambda line: (-len(line), line))


def validate_command(file: ConfigFile) -> str:
    """Give a validate command in which the new file is an argument: its name never becomes text of the command."""
    return file.validate_command.strip().replace("{}", '"$1"')


def _wanted(
    number: int, one: Placed, reloads: Sequence[str], stamp: str
) -> dict[str, str]:
    file = one.file
    command = file.reload_command.strip()
    told = {
        "KEY": str(file.pk),
        "PATH": one.path,
        "OWNER": file.owner,
        "GROUP": file.group,
        "MODE": file.mode or "0644",
        "STAMP": stamp if file.backup else "",
        "VALIDATE": validate_command(file),
        "RELOAD": str(reloads.index(command)) if command else "",
    }
    return {f"{number}_{name}": value for name, value in told.items()}


def _parts(placed: Sequence[Placed], texts: HostTexts) -> tuple[Values, Values]:
    """Give the texts of one host in parts that an environment takes: plain ones, and those with secrets."""
    plain: Values = {}
    secret: Values = {}
    for number, one in enumerate(placed):
        rendered = texts.files[one.file.pk]
        text = rendered.text
        parts = [
            text[start : start + PART_CHARACTERS]
            for start in range(0, len(text), PART_CHARACTERS)
        ]
        plain[f"{number}_SHA"] = rendered.sha256
        plain[f"{number}_PARTS"] = str(len(parts))
        chosen = secret if rendered.secrets else plain
        chosen |= {f"{number}_T{n}": part for n, part in enumerate(parts)}
    if secret:
        # What a command prints is masked by these, whichever way the text says it.
        lines = mask_lines(texts.plain.values())
        secret |= {f"S{n}": line for n, line in enumerate(lines)}
    return plain, secret


def _named(
    values: Values, hosts: Mapping[int, Values], secret: Mapping[int, Values]
) -> Load:
    """Put our prefix before all names, and tell each host which there are."""

    def prefixed(some: Values) -> Values:
        return {f"CFG_{name}": value for name, value in some.items()}

    named = {
        pk: own | {"NAMES": " ".join([*values, *own, *secret.get(pk, {})])}
        for pk, own in hosts.items()
    }
    return Load(
        prefixed(values),
        {pk: prefixed(own) for pk, own in named.items()},
        {pk: prefixed(own) for pk, own in secret.items()},
    )
