"""Outputs of hosts whose worker was lost: the end that it had laid aside is put back, and the page says what is not known."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from cmdb.models import Host
from tasks.kept_output import aside_of
from tasks.models import Run, RunHost
from tasks.output import Hints, OutputFile, path_of
from tasks.tasks import look_at_sites
from tasks.watching.mending import mend_left, mend_outputs
from tests.tasks.engine_things import FakeLane, a_run, go_on
from tests.tasks.watching.conftest import Ended

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(ended: Ended, own: Host, settings) -> RunHost:
    """A host in whose middle a worker died: more had come than is kept."""
    run = ended({own: ("unknown", None, b"")})
    RunHost.objects.update(output_hash="", output_bytes=0, stored_bytes=0)
    settings.RUN_OUTPUT_BYTES_PER_HOST = 2048
    row = run.hosts.get()
    dead = OutputFile(run.pk, row.pk, [], Hints(run.pk))
    dead.write(b"0123456789\n" * 1000)
    return row


def test_what_a_lost_worker_had_laid_aside_is_put_back(lost: RunHost) -> None:
    mend_outputs(lost.run_id)
    lost.refresh_from_db()
    size = path_of(lost.run_id, lost.pk).stat().st_size
    assert (lost.stored_bytes, lost.output_bytes) == (size, 0)
    assert lost.output_hash
    assert b"are left out here" in path_of(lost.run_id, lost.pk).read_bytes()
    before = lost.output_hash
    mend_outputs(lost.run_id)
    lost.refresh_from_db()
    assert lost.output_hash == before


def test_the_page_says_that_more_may_have_come(
    client_of: Callable[[User], Client], admin: User, lost: RunHost
) -> None:
    mend_outputs(lost.run_id)
    url = lost.run.get_absolute_url()
    text = client_of(admin).get(url, {"host": lost.pk}).content.decode()
    assert "of at least" in text


def test_the_portal_mends_what_a_sites_worker_cannot(lost: RunHost, settings) -> None:
    run, path = lost.run, path_of(lost.run_id, lost.pk)
    Run.objects.filter(pk=run.pk).update(ended_at=timezone.now())
    settings.RUN_SENDS_OUTPUT = True
    mend_outputs(run.pk)
    settings.RUN_SENDS_OUTPUT = False
    # The portal's own workers mend theirs when the run ends.
    mend_left()
    assert aside_of(path).exists()
    run.parts.create(queue="idc.bj", status="done")
    mend_left(timezone.now() + timedelta(days=2))
    assert aside_of(path).exists()
    look_at_sites()
    lost.refresh_from_db()
    assert not aside_of(path).exists()
    assert lost.output_hash
    assert lost.stored_bytes == path.stat().st_size


def test_a_run_without_files_is_no_trouble(admin: User, run_dir) -> None:
    run = Run.objects.create(title="x", command="x", requested_by=admin)
    mend_outputs(run.pk)
    assert not list(run_dir.rglob("*"))


def test_outputs_are_mended_when_a_run_ends(
    admin: User, fake_lane: FakeLane, django_capture_on_commit_callbacks
) -> None:
    run = a_run(admin, 1)
    row = run.hosts.get()

    def die(_job: object, _row: RunHost) -> None:
        OutputFile(run.pk, row.pk, [], Hints(run.pk), 1024).write(b"line\n" * 1000)

    fake_lane.during, fake_lane.ends = die, {"h1": "unknown"}
    with django_capture_on_commit_callbacks(execute=True):
        go_on(run)
    row.refresh_from_db()
    assert row.status == "unknown"
    assert row.stored_bytes > 1024
