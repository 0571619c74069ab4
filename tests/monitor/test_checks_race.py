"""Several workers and schedulers at once, each a process of its own, against one database in a file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.monitor.real_servers import closed_port

ROOT = Path(__file__).resolve().parents[2]
BEGIN = """
import django, json, sys
from django.conf import settings
settings.MIGRATION_MODULES = {
    app.rpartition(".")[2]: None for app in settings.INSTALLED_APPS
}
django.setup()
from monitor.models import CheckFlip, Heartbeat, ServiceCheck
from monitor.checks import rounds
from monitor.heartbeats import sweeping
"""
MAKE = """
from datetime import timedelta
from django.core.management import call_command
from django.utils import timezone
from tests.monitor.check_things import make_check, make_heartbeat
call_command("migrate", verbosity=0, run_syncdb=True)
past = timezone.now() - timedelta(hours=2)
for number in range(60):
    make_check(port=int(sys.argv[1]), retries=0, timeout_seconds=2)
    make_heartbeat(state="up", grace_seconds=0, alert_after=past, last_ping_at=past)
"""
ASK = """
settings.CHECK_ALLOWED_NETWORKS = ["127.0.0.0/8"]
settings.CHECK_THREADS = 8
print(json.dumps([rounds.run("", 60), sweeping.sweep()]))
"""
COUNT = """
print(json.dumps([
    CheckFlip.objects.filter(check_row__isnull=False).count(),
    CheckFlip.objects.filter(heartbeat__isnull=False).count(),
    ServiceCheck.objects.filter(state="down").count(),
    Heartbeat.objects.filter(state="down").count(),
]))
"""


@pytest.fixture
def there(tmp_path: Path) -> dict[str, str]:
    """The environment of the processes."""
    given = os.environ.get("DATABASE_URL_FOR_RACES", "")
    own = {"DATABASE_URL": given or f"sqlite:///{tmp_path}/race.sqlite3"}
    own |= {"ADMINSET_DATA_DIR": str(tmp_path)}
    own |= {"DJANGO_SETTINGS_MODULE": "adminset.settings"}
    return os.environ | own


def begin(there: dict[str, str], script: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + script, *words],
        cwd=ROOT,
        env=there,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> list[int]:
    out, faults = process.communicate(timeout=120)
    assert process.returncode == 0, faults[-3000:]
    return json.loads(out.splitlines()[-1]) if out else []


def test_three_workers_never_ask_a_check_twice_nor_tell_a_change_twice(
    there: dict[str, str],
) -> None:
    said(begin(there, MAKE, str(closed_port())))
    workers = [begin(there, ASK) for _number in range(3)]
    asked = [said(worker) for worker in workers]
    assert sum(each[0] for each in asked) == 60
    assert sum(each[1] for each in asked) == 60
    assert said(begin(there, COUNT)) == [60, 60, 60, 60]
