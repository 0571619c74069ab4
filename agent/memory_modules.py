"""Memory modules by DMI structures of type 17, where these may be read."""

import struct
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

from agent.identity import PLACEHOLDERS

TABLE = "/sys/firmware/dmi/tables/DMI"
MEMORY_DEVICE, END = 17, 127
MEBIBYTE = 1 << 20
MOST_MODULES = 256
# SMBIOS 3.x, 7.18.2; others are not in servers any more.
TYPES = {
    0x12: "DDR",
    0x13: "DDR2",
    0x18: "DDR3",
    0x1A: "DDR4",
    0x1B: "LPDDR",
    0x1D: "LPDDR3",
    0x1E: "LPDDR4",
    0x20: "HBM",
    0x21: "HBM2",
    0x22: "DDR5",
    0x23: "LPDDR5",
}
Structure = Tuple[int, bytes, List[str]]


def memory_modules(dmi_dir: str) -> List[Dict[str, Any]]:
    """Slots with a module; [] where only root may look and left no copy in `dmi_dir`."""
    for path in (TABLE, str(Path(dmi_dir) / "DMI") if dmi_dir else TABLE):
        try:
            raw = Path(path).read_bytes()
        except OSError:
            continue
        try:
            found = [module(data, texts) for data, texts in devices(raw)]
        except (struct.error, IndexError):
            return []
        return [entry for entry in found if entry][:MOST_MODULES]
    return []


def devices(raw: bytes) -> Iterator[Tuple[bytes, List[str]]]:
    for kind, data, texts in structures(raw):
        if kind == MEMORY_DEVICE:
            yield data, texts


def structures(raw: bytes) -> Iterator[Structure]:
    """(type, formatted part, texts) of each: texts end in 0, their set in another 0."""
    place = 0
    while place + 4 <= len(raw):
        kind, length = raw[place], raw[place + 1]
        stop = raw.find(b"\0\0", place + length)
        if length < 4 or stop < 0 or kind == END:
            return
        texts = raw[place + length : stop].split(b"\0")
        shown = [text.decode("latin-1").strip() for text in texts]
        yield kind, raw[place : place + length], shown
        place = stop + 2


def module(data: bytes, texts: List[str]) -> Optional[Dict[str, Any]]:
    """None for an empty slot."""
    size = size_bytes(data)
    if not size:
        return None
    return {
        "slot": text(data, texts, 0x10),
        "size_bytes": size,
        "type": TYPES.get(data[0x12]),
        "speed_mts": word(data, 0x15),
        "manufacturer": text(data, texts, 0x17),
        "serial": text(data, texts, 0x18),
        "part": text(data, texts, 0x1A),
    }


def size_bytes(data: bytes) -> Optional[int]:
    """0 is an empty slot, 0xFFFF unknown, 0x7FFF "see the extended size"."""
    size = struct.unpack_from("<H", data, 0x0C)[0]
    if size == 0x7FFF:
        return int(struct.unpack_from("<I", data, 0x1C)[0] & 0x7FFFFFFF) * MEBIBYTE
    if size in (0, 0xFFFF):
        return None
    return int(size & 0x7FFF) * (1024 if size & 0x8000 else MEBIBYTE)


def word(data: bytes, place: int) -> Optional[int]:
    """Structures of old are shorter."""
    if len(data) < place + 2:
        return None
    return int(struct.unpack_from("<H", data, place)[0]) or None


def text(data: bytes, texts: List[str], place: int) -> Optional[str]:
    """A field holds the number of its text, from 1; 0 is none."""
    number = data[place] if place < len(data) else 0
    found = texts[number - 1] if 0 < number <= len(texts) else ""
    shown = "".join(c for c in found if c.isprintable())[:200].strip()
    return None if not shown or shown.lower() in PLACEHOLDERS else shown
