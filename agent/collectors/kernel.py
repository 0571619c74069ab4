"""What the kernel counts: context switches, interrupts, started processes; and entropy."""

from pathlib import Path

from agent.collectors.series import RATE, Field, Reading, Values
from agent.files import read_integer

STAT, ENTROPY = "/proc/stat", "/proc/sys/kernel/random/entropy_avail"
FIELDS = (
    Field(
        "cpu.context_switches_per_second", "1/s", "a core took up another task", RATE
    ),
    Field("cpu.interrupts_per_second", "1/s", "interrupts served, all kinds", RATE),
    Field("processes.forks_per_second", "1/s", "processes and threads started", RATE),
    Field("system.entropy_bits", "bits", "randomness that the kernel has in store"),
)
LINES = {
    "ctxt": "cpu.context_switches_per_second",
    "intr": "cpu.interrupts_per_second",
    "processes": "processes.forks_per_second",
}


def collect() -> Reading:
    """Each line is a name and a count; `intr` lists its kinds behind the sum."""
    counters: Values = {}
    with Path(STAT).open() as lines:
        for line in lines:
            name, _, rest = line.partition(" ")
            if name in LINES:
                counters[LINES[name]] = int(rest.split(None, 1)[0])
    entropy = read_integer(ENTROPY)
    gauges: Values = {} if entropy is None else {"system.entropy_bits": entropy}
    return Reading(gauges, counters)
