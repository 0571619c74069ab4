"""What a host says it is: the form of the report, checked and cleaned; pure, no Django.

Everything a host says is hostile text. Fields that are not known here are ignored, so that a newer
agent may speak to an older portal.
"""

import hashlib
import ipaddress
import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from monitor.body import BadFieldError, Limits, check_clock, decode
from monitor.reported_inventory import (
    ListeningPorts,
    LocalUsers,
    MemoryModules,
    Packages,
    clean_module,
    clean_packages,
    clean_port,
    clean_text,
    clean_user,
)

HOSTNAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
HEX_ID = re.compile(r"[0-9a-f]{16,128}")
# 4 octets of a tunnel to 20 of InfiniBand.
HARDWARE_ADDRESS = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){3,19}")

Name = str | None
Count = Annotated[int, Meta(ge=0, le=1 << 20)] | None
Size = Annotated[int, Meta(ge=0, le=1 << 60)] | None
Seconds = Annotated[float, Meta(ge=0, le=1e11)]


class Identity(Struct, frozen=True):
    """What tells one machine from another; cleaned. `machine_id` is a keyed hash, never the raw one."""

    machine_id: Name = None
    product_uuid: Name = None
    serial: Name = None
    macs: Annotated[list[str], Meta(max_length=512)] | None = None
    cloud: Name = None
    chassis_serial: Name = None
    board_serial: Name = None


class Disk(Struct, frozen=True):
    """A whole disk."""

    name: str
    size_bytes: Size = None
    model: Name = None
    serial: Name = None
    rotational: bool | None = None


class Address(Struct, frozen=True):
    """An IP address of a NIC, in its shortest form."""

    address: str
    prefix: Annotated[int, Meta(ge=0, le=128)] | None = None


class Nic(Struct, frozen=True):
    """A network interface; `mac` lower case with colons, `speed_mbps` None where unknown."""

    name: str
    mac: Name = None
    permanent_mac: Name = None
    mtu: Size = None
    speed_mbps: Annotated[int, Meta(ge=-1, le=1 << 40)] | None = None
    up: bool | None = None
    addresses: Annotated[list[Address], Meta(max_length=512)] | None = None


class Facts(Struct, frozen=True):
    """What a host says it is; cleaned: no control characters, 255 characters a text at most."""

    hostname: Name = None
    primary_address: Name = None
    os_name: Name = None
    os_version: Name = None
    kernel: Name = None
    architecture: Name = None
    vendor: Name = None
    product: Name = None
    serial: Name = None
    virtualisation: Name = None
    cpu_model: Name = None
    cpu_sockets: Count = None
    cpu_cores: Count = None
    cpu_threads: Count = None
    memory_bytes: Size = None
    swap_bytes: Size = None
    disks: Annotated[list[Disk], Meta(max_length=1024)] | None = None
    nics: Annotated[list[Nic], Meta(max_length=1024)] | None = None
    time_zone: Name = None
    booted_at: Seconds | None = None
    agent_version: Name = None
    python_version: Name = None
    cloud: Name = None
    cloud_instance_id: Name = None
    memory_modules: MemoryModules | None = None
    packages: Packages | None = None
    users: LocalUsers | None = None
    ports: ListeningPorts | None = None


class FactsReport(Struct, frozen=True):
    """The body of POST facts and of POST enroll; `sent_at` in Unix seconds by the host's clock."""

    sent_at: Seconds
    identity: Identity
    facts: Facts
    boot_id: Name = None
    seq: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None


class _Rotation(Struct):
    boot_id: Name = None


class FactsEnvelope(Struct, frozen=True):
    """The body of POST facts, with what is said still in bytes: enough to know a report that was read before."""

    sent_at: Seconds
    identity: msgspec.Raw
    facts: msgspec.Raw
    boot_id: Name = None
    seq: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None

    @property
    def digest(self) -> bytes:
        """Same bytes, same digest; agents write a report that did not change in the same bytes."""
        whole = hashlib.sha256(bytes(self.facts))
        whole.update(b"\n")
        whole.update(bytes(self.identity))
        return whole.digest()


_ROTATION = msgspec.json.Decoder(_Rotation)
_FACTS = msgspec.json.Decoder(FactsReport)
_ENVELOPE = msgspec.json.Decoder(FactsEnvelope)


def parse_rotation(body: bytes, limits: Limits) -> str:
    """Read who asks for a new secret: the boot id, "" where it is not said.

    Raises:
        BadBodyError, BadFieldError.
    """
    return clean_text(decode(_ROTATION, body, limits).boot_id) or ""


def parse_envelope(body: bytes, limits: Limits, now: float) -> FactsEnvelope:
    """Read the outside of a facts report; the inside is checked by parse_facts.

    Raises:
        BadBodyError, BadFieldError, ClockSkewError.
    """
    sent = decode(_ENVELOPE, body, limits)
    check_clock(sent.sent_at, limits, now)
    return msgspec.structs.replace(sent, boot_id=clean_text(sent.boot_id))


def parse_facts(body: bytes, limits: Limits, now: float) -> FactsReport:
    """Read and clean what a host says it is.

    Args:
        body: inflated JSON.
        now: Unix seconds by our clock.

    Raises:
        BadBodyError, BadFieldError, ClockSkewError.
    """
    sent = decode(_FACTS, body, limits)
    check_clock(sent.sent_at, limits, now)
    return FactsReport(
        sent_at=sent.sent_at,
        identity=_clean_identity(sent.identity),
        facts=_clean_facts(sent.facts),
        boot_id=clean_text(sent.boot_id),
        seq=sent.seq,
    )


def parse_enrolment(body: bytes, limits: Limits, now: float) -> FactsReport:
    """Read the body of an enrolment: as parse_facts, and some identity must be there."""
    report = parse_facts(body, limits, now)
    identity = report.identity
    evidence = (identity.machine_id, identity.product_uuid, identity.serial)
    if not any(evidence) and not identity.macs:
        raise BadFieldError("identity", "The machine says nothing that identifies it.")
    return report


def _matching(text: str | None, pattern: re.Pattern[str], path: str) -> str | None:
    if text is None or text == "":
        return None
    if not pattern.fullmatch(text):
        raise BadFieldError(path, "This text has a form that is not allowed here.")
    return text


def _mac(text: str | None, path: str) -> str | None:
    bare = (text or "").strip().lower().replace("-", ":")
    if re.fullmatch(r"[0-9a-f]{12}", bare):
        bare = ":".join(bare[i : i + 2] for i in range(0, 12, 2))
    mac = _matching(bare, HARDWARE_ADDRESS, path)
    # Interfaces without an address of their own say zeros.
    return mac if mac and mac.strip("0:") else None


def _ip(text: str, path: str) -> str:
    try:
        return str(ipaddress.ip_address(text.partition("%")[0].strip()))
    except ValueError:
        raise BadFieldError(path, "This is not an IP address.") from None


def _clean_identity(sent: Identity) -> Identity:
    macs = [_mac(mac, f"identity.macs[{i}]") for i, mac in enumerate(sent.macs or [])]
    machine_id = (sent.machine_id or "").strip().lower()
    return Identity(
        machine_id=_matching(machine_id, HEX_ID, "identity.machine_id"),
        product_uuid=(clean_text(sent.product_uuid) or "").lower() or None,
        serial=clean_text(sent.serial),
        macs=sorted({mac for mac in macs if mac}),
        cloud=clean_text(sent.cloud),
        chassis_serial=clean_text(sent.chassis_serial),
        board_serial=clean_text(sent.board_serial),
    )


TEXTS = (
    *("os_name", "os_version", "kernel", "architecture", "vendor", "product"),
    *("serial", "virtualisation", "cpu_model", "time_zone"),
    *("agent_version", "python_version", "cloud", "cloud_instance_id"),
)


def _clean_facts(sent: Facts) -> Facts:
    address = sent.primary_address
    hostname = (sent.hostname or "").strip().rstrip(".")
    return msgspec.structs.replace(
        sent,
        **{name: clean_text(getattr(sent, name)) for name in TEXTS},
        hostname=_matching(hostname, HOSTNAME, "facts.hostname"),
        primary_address=_ip(address, "facts.primary_address") if address else None,
        disks=[_clean_disk(disk) for disk in sent.disks or []],
        nics=[
            _clean_nic(nic, f"facts.nics[{i}]") for i, nic in enumerate(sent.nics or [])
        ],
        memory_modules=[clean_module(each) for each in sent.memory_modules or []],
        packages=clean_packages(sent.packages),
        users=[clean_user(each) for each in sent.users or []],
        ports=[clean_port(each) for each in sent.ports or []],
    )


def _clean_disk(disk: Disk) -> Disk:
    return msgspec.structs.replace(
        disk,
        name=clean_text(disk.name) or "?",
        model=clean_text(disk.model),
        serial=clean_text(disk.serial),
    )


def _clean_nic(nic: Nic, path: str) -> Nic:
    speed = nic.speed_mbps
    addresses = [
        Address(_ip(item.address, f"{path}.addresses[{i}].address"), item.prefix)
        for i, item in enumerate(nic.addresses or [])
    ]
    return msgspec.structs.replace(
        nic,
        name=clean_text(nic.name) or "?",
        mac=_mac(nic.mac, f"{path}.mac"),
        permanent_mac=_mac(nic.permanent_mac, f"{path}.permanent_mac"),
        speed_mbps=speed if speed and speed > 0 else None,
        addresses=addresses,
    )


def as_dict(facts: Facts | Identity) -> dict[str, Any]:
    """Give cleaned facts as plain dicts and lists, to store or to compare."""
    plain: dict[str, Any] = msgspec.to_builtins(facts)
    return plain
