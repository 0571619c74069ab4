"""`make soak deploys`: deploys to real sshd servers with a fault injected at each step and moment; no host is ever without a whole release.

ADMINSET_SOAK_DEPLOYS (all of deploy_cases.py), or those with one of ADMINSET_SOAK_ONLY (a,b) in their words. Each deploy is followed by what a person
would do: retry it, or go back in one click. Then ADMINSET_SOAK_AT_ONCE (50) deploys go on at the same time, moved on by several workers; and
each part of a portal is killed under a deploy (ADMINSET_SOAK_PARTS, 1; 0 leaves it out). The short form is tests/delivery/engine/test_deploy_soak.py.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests import services, template
from tests.soaks.deploy_parts import kill_parts
from tests.soaks.record import conclude, say, setting, workplace

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 3
RUN = """
import sys
import django
from pathlib import Path
django.setup()
from tests.soaks.deploy_run import run
sys.exit(run(Path(sys.argv[1])))
"""


def main() -> int:
    """Run both parts; 0 where nothing that must not be was seen."""
    ends = [_with_faults()]
    if setting("PARTS", 1):
        figures, wrong = kill_parts()
        for words in wrong:
            say(f"FAULT {words}")
        ends.append(conclude("deploys, parts of the portal", figures, len(wrong)))
    return max(ends)


def _with_faults() -> int:
    """Run the faults in a process that is a portal of its own."""
    with workplace() as folder:
        template.copy_to(folder / "db.sqlite3")
        own = {
            "ADMINSET_DATA_DIR": str(folder / "data"),
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "REDIS_URL": services.redis_url(),
            "ADMINSET_RUN_LEASE_SECONDS": str(LEASE_SECONDS),
            "ADMINSET_RUN_RENEW_SECONDS": "1",
            "ADMINSET_RUN_MOST_LOSSES": "5",
            "ADMINSET_DELIVERY_LEASE_SECONDS": str(LEASE_SECONDS),
            "ADMINSET_LIBRARY_GIT_PROTOCOLS": "file",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        command = [sys.executable, "-c", RUN, str(folder)]
        env = os.environ | own
        return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
