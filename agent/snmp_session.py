"""One conversation with a network device: the only file that needs pysnmp."""

from typing import Any, Dict, List, Sequence, Tuple

from pysnmp.hlapi.v3arch import asyncio as hlapi

from agent.snmp_devices import Device
from agent.snmp_values import Answer, Columns, Oid, Scalars

TIMEOUT_SECONDS, RETRIES = 3, 1
REPETITIONS, MOST_ROUNDS = 10, 200
NOTHING = (hlapi.NoSuchObject, hlapi.NoSuchInstance, hlapi.EndOfMibView, hlapi.Null)
AUTH = {
    "none": hlapi.USM_AUTH_NONE,
    "md5": hlapi.USM_AUTH_HMAC96_MD5,
    "sha": hlapi.USM_AUTH_HMAC96_SHA,
    "sha224": hlapi.USM_AUTH_HMAC128_SHA224,
    "sha256": hlapi.USM_AUTH_HMAC192_SHA256,
    "sha384": hlapi.USM_AUTH_HMAC256_SHA384,
    "sha512": hlapi.USM_AUTH_HMAC384_SHA512,
}
PRIVACY = {
    "none": hlapi.USM_PRIV_NONE,
    "des": hlapi.USM_PRIV_CBC56_DES,
    "aes": hlapi.USM_PRIV_CFB128_AES,
    "aes192": hlapi.USM_PRIV_CFB192_AES,
    "aes256": hlapi.USM_PRIV_CFB256_AES,
}


class SnmpError(Exception):
    """The device did not answer, or refused."""


class Session:
    """Questions to one device; answers are whole numbers, bytes and ids."""

    def __init__(self, engine: Any, device: Device, target: Any) -> None:
        self.engine, self.target = engine, target
        self.login, self.context = login(device), hlapi.ContextData()

    async def get(self, oids: Sequence[Oid]) -> Scalars:
        """What is there of them; raises SnmpError."""
        binds = await self._ask(hlapi.get_cmd, (), oids)
        return {tuple(name): plain(value) for name, value in binds if present(value)}

    async def walk(self, wanted: Sequence[Oid]) -> Columns:
        """Columns of tables: index -> value, read side by side; raises SnmpError."""
        found: Columns = {column: {} for column in wanted}
        last: Dict[Oid, Oid] = {column: column for column in wanted}
        for _ in range(MOST_ROUNDS):
            if not last:
                break
            order = list(last)
            binds = await self._ask(hlapi.bulk_cmd, (0, REPETITIONS), last.values())
            for place, (name, value) in enumerate(binds):
                self._keep(order[place % len(order)], tuple(name), value, found, last)
            if not binds:
                break
        return found

    def _keep(
        self,
        column: Oid,
        name: Oid,
        value: Any,
        found: Columns,
        last: Dict[Oid, Oid],
    ) -> None:
        """A column ends where another begins, and where a device goes in circles."""
        if column not in last:
            return
        inside = name[: len(column)] == column and name > last[column]
        if not inside or not present(value):
            del last[column]
            return
        last[column] = name
        found[column][name[len(column) :]] = plain(value)

    async def _ask(
        self, command: Any, numbers: Tuple[int, ...], oids: Any
    ) -> List[Tuple[Any, Any]]:
        binds = [hlapi.ObjectType(hlapi.ObjectIdentity(each)) for each in oids]
        fault, status, _place, answer = await command(
            self.engine,
            self.login,
            self.target,
            self.context,
            *numbers,
            *binds,
            lookupMib=False,
        )
        if fault or status:
            raise SnmpError(str(fault or status.prettyPrint()))
        return list(answer)


def login(device: Device) -> Any:
    if device.version == "2c":
        return hlapi.CommunityData(
            device.name,
            device.community,
            mpModel=1,  # noqa: S508 - many devices know v2c only
        )
    return hlapi.UsmUserData(
        device.user,
        device.auth_secret or None,
        device.privacy_secret or None,
        authProtocol=AUTH[device.auth],
        privProtocol=PRIVACY[device.privacy],
    )


def present(value: Any) -> bool:
    return not isinstance(value, NOTHING)


def plain(value: Any) -> Answer:
    if hasattr(value, "asTuple"):
        return tuple(value)
    if hasattr(value, "asOctets"):
        return bytes(value)
    return int(value)


def make_engine() -> Any:
    """One for all devices; to be made where the loop runs."""
    return hlapi.SnmpEngine()


async def open_session(engine: Any, device: Device) -> Session:
    """Raises what the network raises."""
    kind = (
        hlapi.Udp6TransportTarget if ":" in device.address else hlapi.UdpTransportTarget
    )
    place = (device.address, device.port)
    target = await kind.create(place, timeout=TIMEOUT_SECONDS, retries=RETRIES)
    return Session(engine, device, target)
