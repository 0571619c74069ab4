"""What makers write when they write nothing: serial numbers, UUIDs and MACs that tell no machine from another."""

import re
import uuid

# Gathered from captures of real machines (research/cmdb.md, 3.2) and from what BIOS makers ship; lower case.
SERIALS = frozenset(
    {
        "...",
        "0123456789",
        "0123456789abcdef",
        "1234567890",
        "123456789",
        "12345678",
        "asset-1234567890",
        "base board serial number",
        "board serial number",
        "chassis serial number",
        "default",
        "default string",
        "empty",
        "filled by o.e.m.",
        "filled by oem",
        "invalid",
        "mb-1234567890",
        "n/a",
        "na",
        "no serial",
        "none",
        "not applicable",
        "not available",
        "not defined",
        "not settable",
        "not specified",
        "null",
        "o.e.m.",
        "oem",
        "oem_serial",
        "product serial number",
        "serial number",
        "serial_number",
        "serialnumber",
        "sernum",
        "standard",
        "sys-1234567890",
        "system serial",
        "system serial number",
        "system-serial-number",
        "tbd",
        "test",
        "to be filled by o.e.m.",
        "to be filled by oem",
        "undefined",
        "unknown",
        "unspecified",
        "virtual",
    }
)
UUIDS = frozenset(
    uuid.UUID(text)
    for text in (
        "00020003-0004-0005-0006-000700080009",
        "00010203-0405-0607-0809-0a0b0c0d0e0f",
        "03000200-0400-0500-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "12345678-1234-1234-1234-123456789012",
        "fefefefe-fefe-fefe-fefe-fefefefefefe",
        "03020100-0504-0706-0809-0a0b0c0d0e0f",
    )
)
# Loopbacks, dongles and modems that all bear the same address.
MACS = frozenset(
    {
        "00:00:00:00:00:00",
        "ff:ff:ff:ff:ff:ff",
        "00:53:45:00:00:00",
        "20:41:53:59:4e:ff",
        "33:50:6f:45:30:30",
        "50:50:54:50:30:30",
        "44:45:53:54:42:00",
        "00:05:9a:3c:7a:00",
        "02:80:37:ec:02:00",
        "00:e0:4c:68:00:01",
        "00:00:00:00:00:01",
    }
)
LEAST_SERIAL = 4
NOTHING = re.compile(r"[\W_]+")


def is_no_serial(text: str) -> bool:
    """Say whether a serial number in lower case is a placeholder: of the list, too short, or one character again and again."""
    bare = text.strip(" .-_*#'\"")
    said = NOTHING.sub("", bare)
    return (
        len(said) < LEAST_SERIAL
        or len(set(said)) == 1
        or text in SERIALS
        or bare in SERIALS
    )


def is_no_uuid(found: uuid.UUID, swapped: uuid.UUID) -> bool:
    """Say whether a UUID, in either byte order, is a placeholder."""
    return len(set(found.hex)) == 1 or bool({found, swapped} & UUIDS)


def is_no_mac(mac: str) -> bool:
    """Say whether a MAC address in lower case with colons is a placeholder."""
    return mac in MACS or len(set(mac)) <= 2
