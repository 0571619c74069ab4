"""What a host says of its memory modules, packages, users and ports: the form, checked and cleaned; pure, no Django."""

import ipaddress
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Name = str | None
Size = Annotated[int, Meta(ge=0, le=1 << 60)] | None
TEXT_LIMIT = 255
MOST_PACKAGES = 20_000


class MemoryModule(Struct, frozen=True):
    """A memory module in its slot; speed in millions of transfers a second."""

    slot: Name = None
    size_bytes: Size = None
    type: Name = None
    speed_mts: Annotated[int, Meta(ge=0, le=1 << 20)] | None = None
    manufacturer: Name = None
    serial: Name = None
    part: Name = None


class Packages(Struct, frozen=True):
    """Installed packages; `entries` ([name, version, architecture] each) only where the portal asked."""

    manager: Name = None
    count: Annotated[int, Meta(ge=0, le=1 << 20)] | None = None
    hash: Name = None
    entries: Annotated[list[list[str]], Meta(max_length=MOST_PACKAGES)] | None = (
        msgspec.field(name="list", default=None)
    )


class LocalUser(Struct, frozen=True):
    """A user of the host itself who has a shell."""

    name: str
    uid: Annotated[int, Meta(ge=0, le=1 << 32)] | None = None
    shell: Name = None


class ListeningPort(Struct, frozen=True):
    """A port that somebody listens on; `process` "" where it may not be read."""

    protocol: str
    port: Annotated[int, Meta(ge=0, le=65535)]
    address: str = ""
    process: Name = None


MemoryModules = Annotated[list[MemoryModule], Meta(max_length=1024)]
LocalUsers = Annotated[list[LocalUser], Meta(max_length=2000)]
ListeningPorts = Annotated[list[ListeningPort], Meta(max_length=2000)]


def clean_text(text: str | None) -> str | None:
    """Strip what cannot be printed, cap the length; None for nothing left."""
    if text is None:
        return None
    # Most texts are plain, and a list of packages has sixty thousand of them.
    if len(text) <= TEXT_LIMIT and text.isprintable() and " " not in text:
        return text or None
    spaced = "".join(c if c.isprintable() else " " for c in text[: 4 * TEXT_LIMIT])
    return " ".join(spaced.split())[:TEXT_LIMIT].strip() or None


def clean_module(sent: MemoryModule) -> MemoryModule:
    """Give it with plain texts."""
    names = ("slot", "type", "manufacturer", "serial", "part")
    texts = {name: clean_text(getattr(sent, name)) for name in names}
    return msgspec.structs.replace(sent, **texts)


def clean_packages(sent: Packages | None) -> Packages | None:
    """Give them with plain texts; an entry of another form is left out."""
    if sent is None:
        return None
    entries = sent.entries and [
        [clean_text(text) or "" for text in entry]
        for entry in sent.entries
        if len(entry) == len(("name", "version", "architecture"))
    ]
    return Packages(
        clean_text(sent.manager), sent.count, clean_text(sent.hash), entries
    )


def clean_user(sent: LocalUser) -> LocalUser:
    """Give it with plain texts."""
    return LocalUser(clean_text(sent.name) or "?", sent.uid, clean_text(sent.shell))


def clean_port(sent: ListeningPort) -> ListeningPort:
    """Give it with plain texts; what is no address is left out of it."""
    try:
        address = str(ipaddress.ip_address(sent.address.partition("%")[0]))
    except ValueError:
        address = ""
    protocol = (clean_text(sent.protocol) or "?")[:20]
    return ListeningPort(protocol, sent.port, address, clean_text(sent.process))
