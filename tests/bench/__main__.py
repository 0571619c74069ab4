"""`make bench [NAME ...]`: measures, prints a table, and keeps the figures in var/bench.json."""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from tests.bench import (  # noqa: E402 - Django must be set up first
    agent,
    audit,
    delivery_delta,
    delivery_pages,
    delivery_send,
    delivery_switch,
    delivery_undo,
    fleet,
    fleet_intake,
    host_files,
    host_list,
    host_page,
    imports,
    ingest,
    lists,
    permissions,
    playbook,
    remote_write,
    run_page,
    schedules,
    sign_in,
    ssh_lane,
    store,
    terminal,
)
from tests.bench.figures import Figure, table  # noqa: E402 - likewise

BENCHES = {
    "ingest": ingest.run,
    "remote_write": remote_write.run,
    "hosts": host_list.run,
    "pages": host_page.run,
    "lists": lists.run,
    "fleet": fleet.run,
    "fleet_intake": fleet_intake.run,
    "imports": imports.run,
    "agent": agent.run,
    "store": store.run,
    "sign_in": sign_in.run,
    "ssh_lane": ssh_lane.run,
    "audit": audit.run,
    "permissions": permissions.run,
    "schedules": schedules.run,
    "playbook": playbook.run,
    "run_page": run_page.run,
    "terminal": terminal.run,
    "host_files": host_files.run,
    "delivery_delta": delivery_delta.run,
    "delivery_pages": delivery_pages.run,
    "delivery_send": delivery_send.run,
    "delivery_switch": delivery_switch.run,
    "delivery_undo": delivery_undo.run,
}
ROOT = Path(__file__).resolve().parents[2]


def main(names: list[str]) -> int:
    """Run the named benches, or all; 2 for a name that does not exist."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        sys.stderr.write(
            f"There is no bench {', '.join(unknown)}. There are: {', '.join(BENCHES)}.\n"
        )
        return 2
    figures: list[Figure] = []
    for name in names or BENCHES:
        sys.stdout.write(f"measuring {name} ...\n")
        sys.stdout.flush()
        with tempfile.TemporaryDirectory(prefix="adminset-bench-") as folder:
            figures += BENCHES[name](Path(folder))
    sys.stdout.write(table(figures))
    _keep(figures)
    return 0


def _keep(figures: list[Figure]) -> None:
    file = ROOT / "var" / "bench.json"
    file.parent.mkdir(exist_ok=True)
    kept = json.loads(file.read_text()) if file.exists() else {}
    kept |= {
        f.name: {
            "value": f.value,
            "unit": f.unit,
            "goal": f.goal,
            "yardstick": f.yardstick,
        }
        for f in figures
    }
    file.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
