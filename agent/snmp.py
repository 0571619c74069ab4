"""Asks network devices by SNMP v2c and v3; loaded only where devices are configured."""

import asyncio
import time
from typing import Any, Dict, NamedTuple, Sequence, Tuple

from agent import snmp_values as answers
from agent.collectors.series import Reading, Values, series
from agent.logs import quoted
from agent.snmp_devices import Device
from agent.snmp_session import make_engine, open_session
from agent.tables import Found, Row, log, table

SECONDS = 60.0
# All questions to one device together; several devices are asked at once.
DEVICE_SECONDS = 40.0
AT_ONCE = 8
COLUMNS = ("device", "up", "name", "description", "uptime_seconds", "interfaces")


class State(NamedTuple):
    """What one device said now."""

    reading: Reading
    row: Row
    left_out: int


async def ask(session: Any, device: Device) -> State:
    """Everything of one device; raises SnmpError and what the network raises."""
    scalars = await session.get(answers.SCALARS)
    vendor = answers.vendor_of(scalars.get(answers.OBJECT_ID))
    if vendor.scalars:
        scalars.update(await session.get(list(vendor.scalars.values())))
    columns = await session.walk(answers.INTERFACES)
    columns.update(await session.walk(list(vendor.columns.values())))
    gauges, counters, left_out = answers.traffic(device.name, columns)
    health = answers.health(vendor, scalars, columns)
    ticks = answers.whole(scalars.get(answers.UPTIME))
    if ticks is not None:
        health["uptime_seconds"] = ticks / answers.TICKS_A_SECOND
    for name, value in health.items():
        gauges[series("snmp." + name, device.name)] = value
    gauges[series("snmp.up", device.name)] = 1
    row = (
        *(device.name, True, answers.text(scalars.get(answers.NAME))),
        answers.text(scalars.get(answers.DESCRIPTION)),
        health.get("uptime_seconds"),
        len(answers.interfaces(columns)),
    )
    return State(Reading(gauges, counters), row, left_out)


class Poller:
    """Asks all devices; one that is silent costs the others nothing but its time-out."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self.devices = devices
        self.loop = asyncio.new_event_loop()
        self.engines: Dict[str, Any] = {}
        self.sessions: Dict[str, Any] = {}
        self.before: Dict[str, Tuple[float, Values]] = {}
        self.silent: Dict[str, str] = {}

    def collect(self) -> Found:
        """To be called from one thread only: that of the loop."""
        asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(self.everything())

    async def everything(self) -> Found:
        gate = asyncio.Semaphore(AT_ONCE)
        states = await asyncio.gather(*(self.one(gate, each) for each in self.devices))
        values: Values = {}
        for state in states:
            values.update(state.reading.gauges)
        rows = [state.row for state in states]
        left_out = {"snmp_interfaces": sum(state.left_out for state in states)}
        return Found([table("snmp_devices", COLUMNS, rows)], values, left_out)

    async def one(self, gate: Any, device: Device) -> State:
        """Its rates among the gauges; a silent device is a value and a row too."""
        try:
            async with gate:
                now = time.monotonic()
                state = await asyncio.wait_for(self.all_of(device), DEVICE_SECONDS)
        except Exception as error:  # noqa: BLE001 - pysnmp raises what it likes
            self.before.pop(device.name, None)
            self.sessions.pop(device.name, None)
            self.failed(device, f"{type(error).__name__}: {error}")
            gauges: Values = {series("snmp.up", device.name): 0}
            row: Row = (device.name, False, "", "", None, None)
            return State(Reading(gauges, {}), row, 0)
        self.silent.pop(device.name, None)
        moment, counters = self.before.get(device.name, (now, {}))
        self.before[device.name] = (now, state.reading.counters)
        if now > moment:
            fresh = answers.rates(counters, state.reading.counters, now - moment)
            state.reading.gauges.update(fresh)
        return state

    async def all_of(self, device: Device) -> State:
        """By a session that stays as long as it works: pysnmp keeps a bit of each."""
        if device.name not in self.sessions:
            engine = self.engine(device)
            self.sessions[device.name] = await open_session(engine, device)
        return await ask(self.sessions[device.name], device)

    def engine(self, device: Device) -> Any:
        """One for all of v2c; of v3 one each, as an engine knows one password a user."""
        name = device.name if device.version == "3" else ""
        if name not in self.engines:
            self.engines[name] = make_engine()
        return self.engines[name]

    def failed(self, device: Device, reason: str) -> None:
        """Said once, until it answers or fails in another way."""
        if self.silent.get(device.name) != reason:
            self.silent[device.name] = reason
            text = "event=snmp_failed device=%s error=%s"
            log.warning(text, device.name, quoted(reason))
