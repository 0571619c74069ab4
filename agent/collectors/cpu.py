"""CPU time by mode, of all cores together and of each."""

from pathlib import Path
from typing import Dict, List, Optional

from agent.collectors.series import Field, Reading, Values, percent, series

STAT = "/proc/stat"
MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
RESTING = ("idle", "iowait")
FIELDS = (
    Field("cpu.busy_percent", "%", "time spent on anything but idle and iowait"),
    Field("cpu.user_percent", "%", "user code, guests included"),
    Field("cpu.nice_percent", "%", "user code of low priority"),
    Field("cpu.system_percent", "%", "kernel"),
    Field("cpu.iowait_percent", "%", "idle while a disk was awaited"),
    Field("cpu.irq_percent", "%", "hardware interrupts"),
    Field("cpu.softirq_percent", "%", "software interrupts"),
    Field("cpu.steal_percent", "%", "taken by the hypervisor"),
    Field("cpu.idle_percent", "%", "nothing to do"),
    Field("cpu.core_busy_percent", "%", "as busy, per core number"),
)


def collect() -> Reading:
    """Counters `<cpu line>.<mode>` in kernel ticks."""
    counters: Values = {}
    for line in Path(STAT).read_text().splitlines():
        if line.startswith("cpu"):
            words = line.split()
            for position, mode in enumerate(MODES, 1):
                counters[f"{words[0]}.{mode}"] = int(words[position])
    return Reading({}, counters)


def percentages(before: Values, after: Values, seconds: float) -> Values:
    """Shares of the ticks that passed on each line; the wall clock has no say."""
    values: Values = {}
    for line in lines(after):
        growth = {mode: grown(before, after, f"{line}.{mode}") for mode in MODES}
        values.update(total(growth) if line == "cpu" else core(line, growth))
    return values


def lines(counters: Values) -> List[str]:
    return [name[:-5] for name in counters if name.endswith(".user")]


def grown(before: Values, after: Values, name: str) -> Optional[float]:
    """Ticks between two readings; None when new, missing or gone backwards."""
    if name not in before or name not in after or after[name] < before[name]:
        return None
    return after[name] - before[name]


def total(growth: Dict[str, Optional[float]]) -> Values:
    whole = passed(growth)
    shares: Values = {}
    for mode, ticks in growth.items():
        if ticks is not None and whole:
            shares[f"cpu.{mode}_percent"] = percent(ticks, whole)
    share = busy(growth)
    return shares if share is None else dict(shares, **{"cpu.busy_percent": share})


def core(line: str, growth: Dict[str, Optional[float]]) -> Values:
    share = busy(growth)
    name = series("cpu.core_busy_percent", line[len("cpu") :])
    return {} if share is None else {name: share}


def passed(growth: Dict[str, Optional[float]]) -> float:
    return sum(ticks for ticks in growth.values() if ticks is not None)


def busy(growth: Dict[str, Optional[float]]) -> Optional[float]:
    """None when a working mode has no value, or no time has passed."""
    working = [ticks for mode, ticks in growth.items() if mode not in RESTING]
    known = [ticks for ticks in working if ticks is not None]
    whole = passed(growth)
    if len(known) < len(working) or not whole:
        return None
    return percent(sum(known), whole)
