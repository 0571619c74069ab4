"""Which network devices to ask by SNMP: sections `[snmp NAME]` of an INI file."""

import configparser
import re
import stat
from pathlib import Path
from typing import Dict, List, NamedTuple

from agent.errors import ConfigError
from agent.files import read_text

MOST_DEVICES = 50
NAME = re.compile(r"snmp\s+([A-Za-z0-9][A-Za-z0-9_.-]{0,62})")
AUTH = ("sha", "md5", "sha224", "sha256", "sha384", "sha512", "none")
PRIVACY = ("aes", "aes192", "aes256", "des", "none")
DEFAULTS = {"port": "161", "version": "2c", "auth": "sha", "privacy": "aes"}
OPTIONS = {
    *("address", "port", "version", "community_file", "user"),
    *("auth", "auth_file", "privacy", "privacy_file"),
}


class Device(NamedTuple):
    """A device and how to speak to it; the secrets never leave this host."""

    name: str
    address: str
    port: int
    version: str
    community: str
    user: str
    auth: str
    auth_secret: str
    privacy: str
    privacy_secret: str


def devices(path: str) -> List[Device]:
    """Those of the file; raises ConfigError with a sentence to act on."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise ConfigError(
            f"The option snmp_file names {path}, which cannot be read as an INI file "
            f"({type(error).__name__}): give one with sections like [snmp core-1]."
        ) from error
    found = []
    for section in parser.sections():
        match = NAME.fullmatch(section)
        if match:
            found.append(device(match.group(1), dict(parser.items(section)), path))
    if len(found) > MOST_DEVICES:
        raise ConfigError(f"{path} has more than {MOST_DEVICES} devices: spread them.")
    return found


def device(name: str, given: Dict[str, str], path: str) -> Device:
    where = f"[snmp {name}] of {path}"
    unknown = sorted(set(given) - OPTIONS)
    if unknown:
        raise ConfigError(f"Unknown option {unknown[0]} in {where}.")
    options = dict(DEFAULTS, **given)
    port = options["port"]
    if not options.get("address") or not (port.isdecimal() and 0 < int(port) < 65536):
        raise ConfigError(f"The {where} needs an address, and a port from 1 to 65535.")
    secrets = (
        three(options, where) if options["version"] == "3" else two(options, where)
    )
    return Device(name, options["address"], int(port), options["version"], *secrets)


def two(options: Dict[str, str], where: str) -> List[str]:
    """community, and nothing for version 3."""
    if options["version"] != "2c":
        raise ConfigError(f"The version in {where} is not known: give 2c or 3.")
    return [secret(options, "community_file", where), "", "none", "", "none", ""]


def three(options: Dict[str, str], where: str) -> List[str]:
    """User, protocols and passwords; privacy needs authentication."""
    user, auth, privacy = options.get("user", ""), options["auth"], options["privacy"]
    if not user or auth not in AUTH or privacy not in PRIVACY:
        raise ConfigError(
            f"The {where} needs a user, auth of {', '.join(AUTH)} "
            f"and privacy of {', '.join(PRIVACY)}."
        )
    if auth == "none" and privacy != "none":
        raise ConfigError(f"The {where} has privacy without auth: give auth, or none.")
    first = "" if auth == "none" else secret(options, "auth_file", where)
    second = "" if privacy == "none" else secret(options, "privacy_file", where)
    return ["", user, auth, first, privacy, second]


def secret(options: Dict[str, str], option: str, where: str) -> str:
    """From a file that not everybody may read."""
    path = options.get(option, "")
    text = read_text(path) if path else None
    if not text:
        raise ConfigError(
            f"The option {option} in {where} names no file with a secret that the "
            "agent may read: write the secret into one, mode 0640."
        )
    if Path(path).stat().st_mode & stat.S_IROTH:
        raise ConfigError(f"Everybody may read {path}: chmod it to 0640.")
    return text
