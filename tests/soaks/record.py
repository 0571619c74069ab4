"""What a soak found: printed as it goes, as a table at the end, and kept in var/soak.json."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.bench.figures import Figure, table
from tests.simulation.watch import Watch

ROOT = Path(__file__).resolve().parents[2]
LOOKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def say(words: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def setting(name: str, default: float) -> float:
    """Read ADMINSET_SOAK_<name>, or <name> as a word of make (`make soak fleet SECONDS=60`)."""
    text = os.environ.get(f"ADMINSET_SOAK_{name}") or os.environ.get(name)
    return float(text) if text else default


@contextmanager
def workplace() -> Iterator[Path]:
    """Give a folder with a short name, for sockets; it goes at the end."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        yield Path(folder)


def machine(watch: Watch, reports: int) -> list[Figure]:
    """Say memory over time and CPU time of what was watched."""
    found = []
    for name, seen in watch.seen.items():
        over_time = ", ".join(f"{seen.at(share):.0f}" for share in LOOKS)
        words = f"{over_time} MiB after 0, 25, 50, 75 and 100 % of the time"
        found.append(
            Figure(f"{name}, memory at the end", seen.at(1.0), "MiB", "", words)
        )
        share = seen.cpu / watch.seconds * 100
        each = f"{seen.cpu / max(reports, 1) * 1000:.2f} ms a report"
        found.append(Figure(f"{name}, CPU", share, "% of a core", "", each))
    return found


def keep_memory(name: str, watch: Watch) -> None:
    """Write the memory over time to var/soak-<name>.csv."""
    file = ROOT / "var" / f"soak-{name}.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join([*watch.lines(), ""]))


def conclude(title: str, figures: Sequence[Figure], faults: int) -> int:
    """Print a table, the same for docs/proofs.md, and keep the figures; 1 where anything is wrong."""
    named = [
        Figure(f"{title}: {f.name}", f.value, f.unit, f.goal, f.yardstick)
        for f in figures
    ]
    say(table(named))
    for f in figures:
        say(f"| {f.name} | {f.value:,.4g} {f.unit} | {f.yardstick or f.goal} |")
    _keep(named)
    say("Nothing lost, nothing double." if not faults else f"{faults} FAULTS.")
    return 1 if faults else 0


def _keep(figures: Sequence[Figure]) -> None:
    file = ROOT / "var" / "soak.json"
    file.parent.mkdir(exist_ok=True)
    kept = json.loads(file.read_text()) if file.exists() else {}
    kept |= {
        f.name: {"value": f.value, "unit": f.unit, "words": f.yardstick}
        for f in figures
    }
    file.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
