"""What an agent says of its machine, made harmless: bounded plain text and numbers, whatever was sent."""

import hashlib
import ipaddress
import json
import unicodedata
from collections.abc import Mapping
from typing import Any

TEXT_LIMIT = 200
LIST_LIMIT = 1024
ADDRESSES_LIMIT = 256
MOST_INTEGER = 2**53

# fact -> column of Host of the same name, with its length
TEXT_COLUMNS = {
    "os_name": 200,
    "os_version": 100,
    "kernel": 200,
    "architecture": 50,
    "vendor": 200,
    "product": 200,
    "serial": 200,
    "cpu_model": 200,
}
NUMBER_COLUMNS = ("cpu_threads", "memory_bytes", "swap_bytes")
OTHER_TEXTS = {
    "hostname": 253,
    "primary_address": 45,
    "virtualisation": 50,
    "time_zone": 64,
    "agent_version": 50,
    "python_version": 50,
    "cloud": 50,
    "cloud_instance_id": 100,
}
OTHER_NUMBERS = ("cpu_sockets", "cpu_cores", "booted_at")
DISK_TEXTS = ("name", "model", "serial")
MODULE_TEXTS = ("slot", "type", "manufacturer", "serial", "part")
MODULES_LIMIT, USERS_LIMIT, PORTS_LIMIT = 256, 500, 500
# Changes at every start, by rounding, or with every program: no reason to call facts changed.
RESTLESS = frozenset({"booted_at", "ports"})
CONTAINERS = frozenset(
    {"docker", "podman", "lxc", "lxc-libvirt", "openvz", "systemd-nspawn", "container"}
)


def plain_text(value: Any, limit: int = TEXT_LIMIT) -> str:
    """Give one line of text that any database takes: no control characters, no broken surrogates, not longer than `limit`."""
    if not isinstance(value, str):
        return ""
    kept = (
        " " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c
        for c in value[: limit * 4]
    )
    text = "".join(kept).encode("utf-8", "replace").decode("utf-8")
    return " ".join(text.split())[:limit].strip()


def plain_number(value: Any) -> int | None:
    """Give a whole number from 0 to 2**53, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= MOST_INTEGER else None


def plain_address(value: Any) -> str:
    """Give an IP address in its shortest form, or ""."""
    text = plain_text(value, 64).partition("%")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def clean(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what is known (docs/agent-protocol.md) and harmless; a fact that is not known is left out."""
    texts = TEXT_COLUMNS | OTHER_TEXTS
    facts: dict[str, Any] = {
        name: plain_text(raw.get(name), limit) for name, limit in texts.items()
    }
    facts["primary_address"] = plain_address(raw.get("primary_address"))
    for name in (*NUMBER_COLUMNS, *OTHER_NUMBERS):
        facts[name] = plain_number(raw.get(name))
    facts["disks"] = [_disk(each) for each in _records(raw.get("disks"))]
    facts["nics"] = [_nic(each) for each in _records(raw.get("nics"))]
    facts |= _lists(raw)
    return {name: v for name, v in facts.items() if v not in (None, "", [], {})}


def _lists(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Clean what is of no other use here than to be shown; of the packages count and hash, never their list."""
    modules = _records(raw.get("memory_modules"), MODULES_LIMIT)
    users = _records(raw.get("users"), USERS_LIMIT)
    ports = _records(raw.get("ports"), PORTS_LIMIT)
    return {
        "memory_modules": [_module(each) for each in modules],
        "packages": _packages(raw.get("packages")),
        "users": [_user(each) for each in users],
        "ports": [_port(each) for each in ports],
    }


def _module(raw: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: plain_text(raw.get(name)) for name in MODULE_TEXTS}
    numbers = {
        name: plain_number(raw.get(name)) for name in ("size_bytes", "speed_mts")
    }
    return texts | numbers


def _packages(raw: Any) -> dict[str, Any]:
    if not isinstance(raw, Mapping):
        return {}
    found = {
        "manager": plain_text(raw.get("manager"), 20),
        "count": plain_number(raw.get("count")),
        "hash": plain_text(raw.get("hash"), 64),
    }
    return found if found["hash"] else {}


def _user(raw: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: plain_text(raw.get(name)) for name in ("name", "shell")}
    return texts | {"uid": plain_number(raw.get("uid"))}


def _port(raw: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: plain_text(raw.get(name)) for name in ("protocol", "process")}
    address = plain_address(raw.get("address"))
    return texts | {"address": address, "port": plain_number(raw.get("port"))}


def _records(value: Any, limit: int = LIST_LIMIT) -> list[Mapping[str, Any]]:
    records = value[:limit] if isinstance(value, list | tuple) else []
    return [each for each in records if isinstance(each, Mapping)]


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _disk(raw: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: plain_text(raw.get(name)) for name in DISK_TEXTS}
    size = plain_number(raw.get("size_bytes"))
    return texts | {"size_bytes": size, "rotational": _flag(raw.get("rotational"))}


def _nic(raw: Mapping[str, Any]) -> dict[str, Any]:
    found = [
        {"address": address, "prefix": plain_number(each.get("prefix"))}
        for each in _records(raw.get("addresses"), ADDRESSES_LIMIT)
        if (address := plain_address(each.get("address")))
    ]
    nic = {
        "name": plain_text(raw.get("name"), 64),
        "mac": plain_text(raw.get("mac"), 64),
        "mtu": plain_number(raw.get("mtu")),
        "speed_mbps": plain_number(raw.get("speed_mbps")),
        "up": _flag(raw.get("up")),
        "addresses": found,
    }
    # Only where it is known: the reports of older agents stay what they were.
    if permanent := plain_text(raw.get("permanent_mac"), 64):
        nic["permanent_mac"] = permanent
    return nic


def columns(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give the columns of Host that clean facts speak of, only those with a value."""
    found = {name: facts[name] for name in TEXT_COLUMNS if name in facts}
    found |= {name: facts[name] for name in NUMBER_COLUMNS if name in facts}
    if sizes := [disk["size_bytes"] or 0 for disk in facts.get("disks", [])]:
        found["disk_bytes"] = sum(sizes)
    if facts.get("hostname"):
        found["hostname"] = facts["hostname"]
    if facts.get("virtualisation"):
        found["kind"] = _kind(facts["virtualisation"])
    # An integer column of PostgreSQL ends here.
    if found.get("cpu_threads", 0) > 2**31 - 1:
        del found["cpu_threads"]
    return found


def _kind(virtualisation: str) -> str:
    word = virtualisation.lower()
    if word in CONTAINERS:
        return "container"
    return "physical" if word in {"physical", "none"} else "virtual"


def management_address(facts: Mapping[str, Any]) -> str | None:
    """Give the address to reach the machine at; loopback only when it says nothing else."""
    listed = [a["address"] for nic in facts.get("nics", []) for a in nic["addresses"]]
    named = [facts["primary_address"]] if "primary_address" in facts else []
    usable = [
        text
        for text in [*named, *listed]
        if not (address := ipaddress.ip_address(text)).is_unspecified
        and not address.is_link_local
        and not address.is_multicast
    ]
    routed = [text for text in usable if not ipaddress.ip_address(text).is_loopback]
    return next(iter([*routed, *usable]), None)


def fingerprint(facts: Mapping[str, Any], identity: Mapping[str, Any]) -> str:
    """Hash what matters of a report: the same machine in the same shape gives the same."""
    steady = {name: value for name, value in facts.items() if name not in RESTLESS}
    text = json.dumps([steady, dict(identity)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List {field, old, new} of the facts that have no column of their own."""
    own = {*TEXT_COLUMNS, *NUMBER_COLUMNS, *RESTLESS, "hostname", "virtualisation"}
    names = [name for name in {**old, **new} if name not in own]
    return [
        {"field": name, "old": old.get(name), "new": new.get(name)}
        for name in names
        if old.get(name) != new.get(name)
    ]
