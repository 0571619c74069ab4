"""Configuration: defaults, an INI file, environment variables, in this order."""

import configparser
import os
import sys
from pathlib import Path
from typing import Any, Dict, Mapping, NamedTuple, Optional, Union
from urllib.parse import urlsplit

from agent.errors import ConfigError

if sys.platform == "win32":
    HOME = str(Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData"), "AdminSet"))
    DEFAULT_FILE, RUN_DIR = str(Path(HOME, "agent.conf")), HOME
else:
    HOME = "/var/lib/adminset-agent"
    DEFAULT_FILE, RUN_DIR = "/etc/adminset-agent.conf", "/run/adminset-agent"
PREFIX = "ADMINSET_AGENT_"
SECTION = "agent"
DAY = 86400
RANGES = {
    "spool_max_bytes": (65536, 1 << 40),
    "spool_max_age_seconds": (60, 365 * DAY),
    "sample_seconds": (1, DAY),
    "flush_seconds": (1, DAY),
    "facts_seconds": (1, DAY),
    "warmup_seconds": (0, 3600),
    "connect_timeout_seconds": (1, 300),
    "read_timeout_seconds": (1, 300),
}
WORDS = {"true": True, "yes": True, "on": True, "1": True}
WORDS.update({"false": False, "no": False, "off": False, "0": False})
LEVELS = ("debug", "info", "warning", "error")


class Config(NamedTuple):
    """Every option with its default; docs/agent.md explains each."""

    server: str = ""
    credential_file: str = str(Path(HOME, "credential.json"))
    spool_dir: str = str(Path(HOME, "spool"))
    spool_max_bytes: int = 64 << 20
    spool_max_age_seconds: int = 7 * DAY
    ca_file: str = ""
    verify_tls: bool = True
    log_level: str = "info"
    sample_seconds: int = 15
    flush_seconds: int = 60
    facts_seconds: int = 3600
    warmup_seconds: int = 30
    connect_timeout_seconds: int = 10
    read_timeout_seconds: int = 30
    network_filesystems: bool = False
    dmi_dir: str = RUN_DIR
    custom_dir: str = HOME + ".d"
    push_listen: str = ""
    snmp_file: str = ""


Value = Union[str, int, bool]
DEFAULTS: Dict[str, Value] = Config()._asdict()


def load(path: Optional[str], environ: Mapping[str, str]) -> Config:
    """Read everything there is; raises ConfigError with a sentence to act on."""
    values: Dict[str, Any] = dict(from_file(path or environ.get(PREFIX + "CONFIG")))
    for name in DEFAULTS:
        text = environ.get(PREFIX + name.upper(), "").strip()
        if text:
            values[name] = typed(
                name, text, "environment variable " + PREFIX + name.upper()
            )
    return Config(**values)


def from_file(path: Optional[str]) -> Dict[str, Value]:
    """The options of the INI file; only the default file may be missing."""
    if path is None and not Path(DEFAULT_FILE).exists():
        return {}
    name = path or DEFAULT_FILE
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(Path(name).read_text(encoding="utf-8"), name)
    except OSError as error:
        raise ConfigError(
            f"The file {name} cannot be read ({error.strerror}): "
            "give another one by --config."
        ) from error
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"The file {name} is not a valid INI file ({reason}): "
            "write lines like `option = value` under [agent]."
        ) from error
    if not parser.has_section(SECTION):
        raise ConfigError(
            f"The file {name} has no section [agent]: add that line on top."
        )
    return {
        key: typed(key, text.strip(), f"[agent] of {name}")
        for key, text in parser.items(SECTION)
    }


def typed(name: str, text: str, where: str) -> Value:
    """The text as the type of the option's default, within its limits."""
    if name not in DEFAULTS:
        known = ", ".join(sorted(DEFAULTS))
        raise ConfigError(f"Unknown option {name} in {where}: use one of {known}.")
    default = DEFAULTS[name]
    if isinstance(default, bool):
        return boolean(name, text, where)
    if isinstance(default, int):
        return integer(name, text, where)
    if name == "server":
        return server_url(text, where)
    if name == "log_level" and text.lower() not in LEVELS:
        raise wrong(name, text, where, "one of " + ", ".join(LEVELS))
    return text.lower() if name == "log_level" else text


def boolean(name: str, text: str, where: str) -> bool:
    if text.lower() not in WORDS:
        raise wrong(name, text, where, "true or false")
    return WORDS[text.lower()]


def integer(name: str, text: str, where: str) -> int:
    low, high = RANGES[name]
    if not (text.isdecimal() and low <= int(text) <= high):
        raise wrong(name, text, where, f"a whole number from {low} to {high}")
    return int(text)


def server_url(text: str, where: str) -> str:
    """The portal's address without a slash at the end."""
    wish = "an address like https://adminset.example.com"
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError as error:
        raise wrong("server", text, where, wish) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        raise wrong("server", text, where, wish)
    if parts.username or parts.query or parts.fragment:
        raise ConfigError(
            f"The server in {where} carries a user, a query or a fragment: "
            f"give {wish} alone."
        )
    return text.rstrip("/")


def wrong(name: str, text: str, where: str, wish: str) -> ConfigError:
    return ConfigError(f"The option {name} in {where} is {text!r}: give {wish}.")


def from_environment(path: Optional[str]) -> Config:
    return load(path, os.environ)
