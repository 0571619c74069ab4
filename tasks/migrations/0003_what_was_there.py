"""Runs, playbooks and schedules from before the task centre: parts for open runs, first versions, beat's old entries."""

from typing import Any

from django.db import migrations, models
from django.utils import timezone

from tasks.library.migrating import first_versions

QUEUE = "runs"
OPEN = {"queued": "queued", "running": "running"}


def bring_over(apps: Any, schema_editor: Any) -> None:
    """Nothing that waits or runs may be lost by the upgrade, and what ran beside each other goes on to do so."""
    first_versions(apps)
    runs, parts = apps.get_model("tasks", "Run"), apps.get_model("tasks", "RunPart")
    hosts = apps.get_model("tasks", "RunHost").objects
    for run in runs.objects.filter(status__in=OPEN).iterator():
        # The lease of a run that a stopped worker had is over: the reaper finds it and another worker goes on.
        part = parts.objects.create(
            run=run,
            queue=QUEUE,
            status=OPEN[run.status],
            worker=run.worker if run.status == "running" else "",
            lease_until=timezone.now(),
        )
        hosts.filter(run=run).update(part=part)
    hosts.update(stored_bytes=models.F("output_bytes"))
    apps.get_model("tasks", "Schedule").objects.update(overlap="allow")
    beat = apps.get_model("django_celery_beat", "PeriodicTask")
    beat.objects.filter(task="tasks.fire_schedule").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("tasks", "0002_task_centre"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [
        migrations.RunPython(bring_over, migrations.RunPython.noop),
        migrations.RemoveField(model_name="run", name="worker"),
    ]
