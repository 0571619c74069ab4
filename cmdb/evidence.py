"""Which machine is it? Identity as evidence: normalised, placeholders thrown away; a name or an address is never evidence."""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cmdb import placeholders
from cmdb.facts import CONTAINERS, plain_text

MACS_LIMIT = 64
MACHINE_ID = re.compile(r"[0-9a-f]{16,128}")
MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
CLOUD = re.compile(r"[a-z0-9._-]+(?:[:/][a-z0-9._-]+){1,4}")
LOCALLY_ADMINISTERED = 0x02
# The kinds that a machine has one of, the strongest first.
SINGLE = (
    "cloud",
    "machine_id",
    "product_uuid",
    "serial",
    "chassis_serial",
    "board_serial",
)
ALWAYS_TOLD = ("machine_id", "product_uuid", "serial")


@dataclass(frozen=True)
class Evidence:
    """What tells machines apart; "" and () where nothing is known or the maker wrote a placeholder."""

    machine_id: str = ""
    product_uuid: str = ""
    serial: str = ""
    macs: tuple[str, ...] = ()
    cloud: str = ""
    chassis_serial: str = ""
    board_serial: str = ""

    @classmethod
    def read(cls, identity: Mapping[str, Any], virtualisation: str = "") -> Self:
        """Normalise an agent's identity. A container shares the hardware's ids with its host: they tell nothing."""
        inside = virtualisation.lower() in CONTAINERS
        machine_id = plain_text(identity.get("machine_id")).lower()
        cloud = plain_text(identity.get("cloud")).lower()
        serials = {
            name: "" if inside else normal_serial(identity.get(name))
            for name in ("serial", "chassis_serial", "board_serial")
        }
        return cls(
            machine_id=machine_id if MACHINE_ID.fullmatch(machine_id) else "",
            product_uuid="" if inside else normal_uuid(identity.get("product_uuid")),
            macs=_macs(identity.get("macs")),
            cloud="" if inside or not CLOUD.fullmatch(cloud) else cloud,
            **serials,
        )

    def identifiers(self) -> list[tuple[str, str]]:
        """List (kind, value) as HostIdentifier keeps them, the strongest first."""
        known = [(kind, value) for kind in SINGLE if (value := getattr(self, kind))]
        return known + [("mac", mac) for mac in self.macs]

    def as_dict(self) -> dict[str, Any]:
        """Give it as Agent.identity keeps it."""
        told = {kind: getattr(self, kind) for kind in ALWAYS_TOLD}
        further = {kind: getattr(self, kind) for kind in SINGLE if getattr(self, kind)}
        return {**told, **further, "macs": list(self.macs)}

    def fingerprint(self) -> str:
        """Hash all of it: the same machine gives the same."""
        text = json.dumps(self.as_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def key(self) -> str | None:
        """Hash what is strong of it; None where nothing is, so that no two machines are taken for one."""
        hardware = (self.product_uuid, self.serial)
        if not self.cloud and not self.machine_id and not all(hardware):
            return None
        text = "\n".join((self.cloud, self.machine_id, *hardware))
        return hashlib.sha256(text.encode()).hexdigest()


def normal_uuid(value: Any) -> str:
    """Give one form for both byte orders in which BIOSes tell it; "" for a placeholder."""
    try:
        found = uuid.UUID(plain_text(value))
    except ValueError:
        return ""
    swapped = uuid.UUID(bytes_le=found.bytes)
    if placeholders.is_no_uuid(found, swapped):
        return ""
    return min(found.hex, swapped.hex)


def normal_serial(value: Any) -> str:
    """Give a serial number in one form; "" for a placeholder."""
    text = plain_text(value).lower()
    return "" if placeholders.is_no_serial(text) else text


def _macs(value: Any) -> tuple[str, ...]:
    listed = value[:1024] if isinstance(value, list | tuple) else []
    macs = {plain_text(each).lower().replace("-", ":") for each in listed}
    real = sorted(
        mac
        for mac in macs
        if MAC.fullmatch(mac)
        and not int(mac[:2], 16) & LOCALLY_ADMINISTERED
        and not placeholders.is_no_mac(mac)
    )
    return tuple(real[:MACS_LIMIT])
