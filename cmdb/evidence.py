"""Which machine is it? Identity as evidence: normalised, placeholders thrown away; a name or an address is never evidence."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cmdb.facts import CONTAINERS, plain_text

MACS_LIMIT = 64
MACHINE_ID = re.compile(r"[0-9a-f]{16,128}")
MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
LOCALLY_ADMINISTERED = 0x02
# What makers write when they write nothing (research/cmdb.md, 3.2).
NO_SERIAL = frozenset(
    {
        "0123456789",
        "1234567890",
        "123456789",
        "chassis serial number",
        "default string",
        "empty",
        "filled by o.e.m.",
        "invalid",
        "n/a",
        "none",
        "not applicable",
        "not available",
        "not specified",
        "o.e.m.",
        "serial number",
        "system serial number",
        "to be filled by o.e.m.",
        "to be filled by oem",
        "unknown",
        "unspecified",
    }
)
NO_UUID = frozenset(
    uuid.UUID(text)
    for text in (
        "03000200-0400-0500-0006-000700080009",
        "00010203-0405-0607-0809-0a0b0c0d0e0f",
        "12345678-1234-5678-90ab-cddeefaabbcc",
    )
)


@dataclass(frozen=True)
class Evidence:
    """What tells machines apart; "" and () where nothing is known or the maker wrote a placeholder."""

    machine_id: str = ""
    product_uuid: str = ""
    serial: str = ""
    macs: tuple[str, ...] = ()

    @classmethod
    def read(cls, identity: Mapping[str, Any], virtualisation: str = "") -> Self:
        """Normalise an agent's identity. A container shares the hardware's ids with its host: they tell nothing."""
        inside = virtualisation.lower() in CONTAINERS
        machine_id = plain_text(identity.get("machine_id")).lower()
        return cls(
            machine_id=machine_id if MACHINE_ID.fullmatch(machine_id) else "",
            product_uuid="" if inside else normal_uuid(identity.get("product_uuid")),
            serial="" if inside else normal_serial(identity.get("serial")),
            macs=_macs(identity.get("macs")),
        )

    def identifiers(self) -> list[tuple[str, str]]:
        """List (kind, value) as HostIdentifier keeps them."""
        single = [
            ("machine_id", self.machine_id),
            ("product_uuid", self.product_uuid),
            ("serial", self.serial),
        ]
        known = [(kind, value) for kind, value in single if value]
        return known + [("mac", mac) for mac in self.macs]

    def as_dict(self) -> dict[str, Any]:
        """Give it as Agent.identity keeps it."""
        return {
            "machine_id": self.machine_id,
            "product_uuid": self.product_uuid,
            "serial": self.serial,
            "macs": list(self.macs),
        }


def normal_uuid(value: Any) -> str:
    """Give one form for both byte orders in which BIOSes tell it; "" for a placeholder."""
    try:
        found = uuid.UUID(plain_text(value))
    except ValueError:
        return ""
    swapped = uuid.UUID(bytes_le=found.bytes)
    if len(set(found.hex)) == 1 or {found, swapped} & NO_UUID:
        return ""
    return min(found.hex, swapped.hex)


def normal_serial(value: Any) -> str:
    """Give a serial number in one form; "" for a placeholder."""
    text = plain_text(value).lower()
    bare = text.strip(" .-_*")
    if len(bare) < 4 or len(set(bare)) == 1 or text in NO_SERIAL or bare in NO_SERIAL:
        return ""
    return text


def _macs(value: Any) -> tuple[str, ...]:
    listed = value[:1024] if isinstance(value, list | tuple) else []
    macs = {plain_text(each).lower().replace("-", ":") for each in listed}
    real = sorted(
        mac
        for mac in macs
        if MAC.fullmatch(mac)
        and not int(mac[:2], 16) & LOCALLY_ADMINISTERED
        and len(set(mac)) > 2
    )
    return tuple(real[:MACS_LIMIT])
