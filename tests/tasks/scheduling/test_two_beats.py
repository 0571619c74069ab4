"""Two schedulers at once, each a process of its own, against one database in a file: each planned time runs once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCHEDULES, HOURS = 30, 3
BEGIN = """
import django, json, sys
from datetime import timedelta
from django.conf import settings
settings.MIGRATION_MODULES = {
    app.rpartition(".")[2]: None for app in settings.INSTALLED_APPS
}
django.setup()
from django.db.models import Count
from tasks.models import Run, RunHost, Schedule, ScheduleNotice, ScheduleTime
from tests.tasks.schedule_things import MORNING, make_schedule, ticked
"""
MAKE = """
from django.core.management import call_command
from tests.factories import make_user
call_command("migrate", verbosity=0, run_syncdb=True)
admin = make_user("admin", is_superuser=True)
for number in range(int(sys.argv[1])):
    make_schedule(admin, overlap="allow", missed="all" if number % 2 else "skip")
"""
TICK = """
sys.stdin.readline()
made = 0
for step in range(int(sys.argv[1]) * 4):
    made += len(ticked(MORNING + timedelta(minutes=15 * step)))
print(json.dumps([made]))
"""
COUNT = """
twice = Run.objects.values("schedule", "planned_at").annotate(n=Count("pk")).filter(n__gt=1)
print(json.dumps([
    Run.objects.count(),
    twice.count(),
    RunHost.objects.count(),
    ScheduleTime.objects.filter(state="ran").count(),
    ScheduleTime.objects.exclude(state="ran").count(),
    sum(Schedule.objects.values_list("run_count", flat=True)),
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
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> list[int]:
    out, faults = process.communicate("go\n", timeout=110)
    assert process.returncode == 0, faults[-3000:]
    return json.loads(out.splitlines()[-1]) if out else []


@pytest.mark.timeout(240)
def test_two_beats_make_each_planned_run_exactly_once(there: dict[str, str]) -> None:
    said(begin(there, MAKE, str(SCHEDULES)))
    beats = [begin(there, TICK, str(HOURS)) for _number in range(2)]
    for beat in beats:
        assert beat.stdin is not None
        beat.stdin.write("go\n")
        beat.stdin.flush()
    made = [sum(said(beat)) for beat in beats]
    # From 08:00 to 10:45: two planned times each.
    wanted = SCHEDULES * (HOURS - 1)
    assert sum(made) == wanted
    assert said(begin(there, COUNT)) == [wanted, 0, wanted, wanted, 0, wanted]
