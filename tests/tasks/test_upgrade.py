"""What a portal had before the task centre is there after the upgrade, and what waited goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

UPGRADE = """
import json
import django
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

def migrated(*targets):
    executor = MigrationExecutor(connection)
    # An empty database would get all of them as one.
    executor.loader.replace_migrations = False
    executor.loader.build_graph()
    executor.migrate(list(targets))
    return executor.loader.project_state(list(targets)).apps

old = migrated(("tasks", "0001_initial"))
Run, RunHost = old.get_model("tasks", "Run"), old.get_model("tasks", "RunHost")
playbook = old.get_model("tasks", "Playbook").objects.create(name="p", content="- hosts: all\\n")
old.get_model("tasks", "Schedule").objects.create(name="s", command="id", crontab="0 3 * * *")
beat = old.get_model("django_celery_beat", "PeriodicTask")
beat.objects.create(name="schedule 1", task="tasks.fire_schedule")
for status in ("queued", "running", "ok"):
    run = Run.objects.create(command="id", title=status, status=status, requested_by_name="x", host_count=1, worker=status != "queued" and "old@here" or "")
    RunHost.objects.create(run=run, host_name=status, output_bytes=7)

new = migrated(("tasks", "0003_what_was_there"))
Part, Host = new.get_model("tasks", "RunPart"), new.get_model("tasks", "RunHost")
found = {
    "parts": {part.run.title: part.status for part in Part.objects.select_related("run")},
    "workers": {part.run.title: part.worker for part in Part.objects.select_related("run")},
    "hosts": {host.host_name: host.part_id is not None for host in Host.objects.all()},
    "kept": sorted(set(Host.objects.values_list("stored_bytes", flat=True))),
    "versions": list(new.get_model("tasks", "Version").objects.values_list("playbook__name", "number", "state")),
    "overlap": list(new.get_model("tasks", "Schedule").objects.values_list("overlap", flat=True)),
    "beat": new.get_model("django_celery_beat", "PeriodicTask").objects.count(),
}
print(json.dumps(found))
"""


@pytest.mark.timeout(300)
def test_open_runs_playbooks_and_schedules_come_along(tmp_path: Path) -> None:
    told = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'old.sqlite3'}",
        "ADMINSET_DATA_DIR": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "adminset.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", UPGRADE],
        cwd=ROOT,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    # A run that had a worker is found by the reaper, for its lease is over.
    assert found["parts"] == {"queued": "queued", "running": "running"}
    # Its page says who was lost.
    assert found["workers"] == {"queued": "", "running": "old@here"}
    assert found["hosts"] == {"queued": True, "running": True, "ok": False}
    assert found["kept"] == [7]
    assert found["versions"] == [["p", 1, "approved"]]
    assert found["overlap"] == ["allow"]
    assert found["beat"] == 0
