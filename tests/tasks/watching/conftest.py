"""Runs that have ended, with outputs, for those who look into them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import Host, HostGroup
from tasks.models import Run, RunHost
from tasks.output import WHOLE_RUN, Hints, OutputFile
from tests.factories import make_host

Said = dict[Host, tuple[str, int | None, bytes]]
Ended = Callable[..., Run]


@pytest.fixture
def ended(admin: User, run_dir: Any) -> Ended:
    """Give a run of the administrator that has ended: {host: (status, exit code, what it printed)}."""

    def made(said: Said, **fields: Any) -> Run:
        values = {"title": "uptime", "command": "uptime", "status": "ok"} | fields
        run = Run.objects.create(
            requested_by=admin,
            requested_by_name="admin",
            host_count=len(said),
            done_count=len(said),
            **values,
        )
        for host, (status, code, text) in said.items():
            row = RunHost.objects.create(run=run, host=host, host_name=host.hostname)
            file = write(run, row.pk, text)
            RunHost.objects.filter(pk=row.pk).update(
                status=status,
                exit_code=code,
                output_bytes=file.received,
                stored_bytes=file.kept,
                output_hash=file.digest,
            )
        return run

    return made


def write(run: Run, row_id: int | None, text: bytes) -> OutputFile:
    """Write an output and close it."""
    file = OutputFile(run.pk, row_id, [], Hints(run.pk))
    file.write(text)
    file.close()
    return file


@pytest.fixture
def own(group: HostGroup) -> Host:
    """A host of the operator's."""
    return make_host("own-host", groups=[group])


@pytest.fixture
def foreign(other_group: HostGroup) -> Host:
    """A host of somebody else."""
    return make_host("foreign-host", groups=[other_group])


@pytest.fixture
def mixed(ended: Ended, own: Host, foreign: Host) -> Run:
    """A run on both, with an output as a whole."""
    run = ended(
        {
            own: ("ok", 0, b"the needle of own\nsecond line\n"),
            foreign: ("failed", 3, b"the needle of foreign\n"),
        },
        kind="playbook",
        playbook_text="- hosts: all",
        status="failed",
    )
    write(run, WHOLE_RUN, b"everything of own and foreign\n")
    return run
