"""`make soak deploys`: deploys to real sshd servers with a fault injected at each step and moment; no host is ever without a whole release.

ADMINSET_SOAK_DEPLOYS (100). Each deploy is followed by what a person would do: retry it, or go back in one click. At the end
ADMINSET_SOAK_AT_ONCE (50) deploys go on at the same time, moved on by several workers. The short form is tests/delivery/engine/test_deploy_soak.py.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests import services, template
from tests.soaks.record import workplace

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
    """Run it in a process that is a portal of its own; 0 where nothing that must not be was seen."""
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
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        command = [sys.executable, "-c", RUN, str(folder)]
        env = os.environ | own
        return subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
