"""The SSH lane against 1,000 real hosts: a farm of sshd on loopback addresses, beside bare paramiko on the same farm.

ADMINSET_BENCH_SSH_HOSTS makes it smaller. Both do connect, sign in, `true` on every host from a process of their own, with
the same number of hosts at once; the machine's cores are shared with the servers.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import template
from tests.bench.figures import Figure
from tests.farm import SshFarm, throw_away_user

HOSTS = int(os.environ.get("ADMINSET_BENCH_SSH_HOSTS", "1000"))
FORKS = 200
# sshd listens on so many addresses at most.
EACH = 16
ROOT = Path(__file__).resolve().parents[2]


def run(folder: Path) -> list[Figure]:
    """Start the farm and measure both; a user of its own signs in, for a shell's start-up files may cost more than SSH."""
    extra = "MaxStartups 1000\nLogLevel QUIET"
    folder.chmod(0o711)
    with (
        throw_away_user() as (user, _password),
        SshFarm(
            -(-HOSTS // EACH), folder / "farm", spread=EACH, extra=extra, user=user
        ) as farm,
    ):
        told = {
            "user": farm.user,
            "key": farm.client_key.read_text(),
            "places": farm.places()[:HOSTS],
            "forks": FORKS,
        }
        bare = measured("tests.bench.ssh_bare", folder, told)
        portal = measured("tests.bench.ssh_portal", folder, told)
    for seen in (bare, portal):
        if seen["ok"] != HOSTS:
            raise RuntimeError(f"only {seen['ok']} of {HOSTS} hosts ended well: {seen}")
    return _figures(bare, portal)


def measured(module: str, folder: Path, told: dict[str, Any]) -> dict[str, Any]:
    """Run a module as a process of its own, beside a portal's database; it is told on stdin and tells on stdout."""
    template.copy_to(folder / "db.sqlite3")
    own = {
        "ADMINSET_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
    }
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=json.dumps(told).encode(),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | own,
        check=True,
    )
    return dict(json.loads(done.stdout))


def _figures(bare: dict[str, Any], portal: dict[str, Any]) -> list[Figure]:
    title, beside = f"SSH lane, {HOSTS:,} hosts", "bare paramiko"
    ratio = portal["wall"] / bare["wall"]
    goal = "20 s (issue 6)" if HOSTS == 1000 else ""
    return [
        Figure(
            f"{title}, wall",
            portal["wall"],
            "s",
            goal,
            f"{bare['wall']:.2f} s {beside}",
        ),
        Figure(f"{title}, against bare paramiko", ratio, "x", "1.3 x (issue 6)"),
        Figure(
            f"{title}, memory",
            portal["mib"],
            "MB",
            "400 MB (issue 6)",
            f"{bare['mib']:.0f} MB {beside}",
        ),
        Figure(
            f"{title}, CPU a host",
            portal["cpu"] / HOSTS * 1000,
            "ms",
            "",
            f"{bare['cpu'] / HOSTS * 1000:.2f} ms {beside}",
        ),
        Figure(f"{title}, the same again at once", portal["again"], "s"),
        Figure(
            "SSH lane, launch to first byte",
            portal["first_byte"] * 1000,
            "ms",
            "1000 ms (issue 6)",
        ),
    ]
