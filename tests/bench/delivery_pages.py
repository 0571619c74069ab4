"""The pages of deploys while five deploys go on, beside the same pages while nobody works: no request is held by a deploy.

ADMINSET_BENCH_PAGES_SECONDS says how long deploys go on. Workers, the hosts' servers and pages share the machine's cores, so the wall
says how busy the machine is; a page that did a deploy's work, or waited for its rows, would show in the other figures or not answer at all.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests import services, template
from tests.bench.figures import Figure
from tests.farm import SshFarm

ROOT = Path(__file__).resolve().parents[2]
SECONDS = int(os.environ.get("ADMINSET_BENCH_PAGES_SECONDS", "15"))
DEPLOYS, HOSTS = 5, 4
# sshd listens on so many addresses at most.
EACH = 16


def run(folder: Path) -> list[Figure]:
    """Start the hosts, let deploys go on there, and ask for the pages."""
    servers = -(-DEPLOYS * HOSTS // EACH)
    extra = f"SetEnv HOME={folder}\nMaxStartups 1000\nLogLevel QUIET"
    with SshFarm(servers, folder / "farm", spread=EACH, extra=extra) as farm:
        told = {
            "user": farm.user,
            "key": farm.client_key.read_text(),
            "places": farm.places()[: DEPLOYS * HOSTS],
            "deploys": DEPLOYS,
            "seconds": SECONDS,
            "folder": str(folder),
        }
        seen = _measured(folder, told)
    names = ("list", "page")
    return [
        *(_wall(name, seen) for name in names),
        *(_work(name, seen) for name in names),
        Figure("deploys that ended meanwhile", seen["ended"], "deploys"),
    ]


def _measured(folder: Path, told: dict[str, Any]) -> dict[str, Any]:
    template.copy_to(folder / "db.sqlite3")
    own = {
        "ADMINSET_DATA_DIR": str(folder / "data"),
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "REDIS_URL": services.redis_url(),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.delivery_pages_portal"],
        input=json.dumps(told).encode(),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | own,
        check=True,
    )
    return dict(json.loads(done.stdout))


WORDS = {"list": "list of deploys", "page": f"page of a deploy to {HOSTS} hosts"}


def _wall(name: str, seen: dict[str, Any]) -> Figure:
    idle, busy = seen["idle"][name], seen["busy"][name]
    told = f"{busy:.0f} ms beside {DEPLOYS} deploys, {idle:.0f} ms while nobody works"
    return Figure(f"{WORDS[name]}, p95 against idle", busy / idle, "x", "", told)


def _work(name: str, seen: dict[str, Any]) -> Figure:
    """Say what the request itself costs: unlike the wall it does not grow because others use the cores."""
    idle, busy = seen["idle_cpu"][name], seen["busy_cpu"][name]
    told = f"{busy:.0f} ms beside {DEPLOYS} deploys, {idle:.0f} ms while nobody works"
    title = f"{WORDS[name]}, processor time (median) against idle"
    return Figure(title, busy / idle, "x", "1.5 x", told)
