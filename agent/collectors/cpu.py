"""CPU time by mode, of all cores together and of each."""

from typing import Dict, List, Optional

import psutil

from agent.collectors.series import RATE, Field, Reading, Values, percent, series
from agent.files import read_text

STAT = "/proc/stat"
MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
RESTING = ("idle", "iowait")
# As psutil calls them on Windows.
OTHER_NAMES = {"irq": "interrupt", "softirq": "dpc"}
FIELDS = (
    Field("cpu.busy_percent", "%", "time spent on anything but idle and iowait", RATE),
    Field("cpu.user_percent", "%", "user code, guests included", RATE),
    Field("cpu.nice_percent", "%", "user code of low priority", RATE),
    Field("cpu.system_percent", "%", "kernel", RATE),
    Field("cpu.iowait_percent", "%", "idle while a disk was awaited", RATE),
    Field("cpu.irq_percent", "%", "hardware interrupts", RATE),
    Field("cpu.softirq_percent", "%", "software interrupts", RATE),
    Field("cpu.steal_percent", "%", "taken by the hypervisor", RATE),
    Field("cpu.idle_percent", "%", "nothing to do", RATE),
    Field("cpu.core_busy_percent", "%", "as busy, per core number", RATE),
)


def collect() -> Reading:
    """Counters `<cpu line>.<mode>` in kernel ticks, or in seconds where there is no /proc."""
    text = read_text(STAT)
    return Reading({}, by_kernel(text) if text else by_psutil())


def by_kernel(text: str) -> Values:
    counters: Values = {}
    for line in text.splitlines():
        if line.startswith("cpu"):
            words = line.split()
            for position, mode in enumerate(MODES, 1):
                counters[f"{words[0]}.{mode}"] = int(words[position])
    return counters


def by_psutil() -> Values:
    """macOS and Windows; a mode that they do not know is missing."""
    cores = psutil.cpu_times(percpu=True)
    lines = {"cpu": psutil.cpu_times()}
    lines.update({f"cpu{number}": core for number, core in enumerate(cores)})
    counters: Values = {}
    for line, times in lines.items():
        for mode in MODES:
            name = mode if hasattr(times, mode) else OTHER_NAMES.get(mode, mode)
            if hasattr(times, name):
                counters[f"{line}.{mode}"] = getattr(times, name)
    return counters


def percentages(before: Values, after: Values, seconds: float) -> Values:
    """Shares of the ticks that passed on each line; the wall clock has no say."""
    values: Values = {}
    for line in lines(after):
        known = [mode for mode in MODES if f"{line}.{mode}" in after]
        growth = {mode: grown(before, after, f"{line}.{mode}") for mode in known}
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
