"""The lane of Ansible modules and playbooks: one run of Ansible for all hosts."""

from django.conf import settings

from tasks import ansible
from tasks.models import Run, RunHost
from tasks.output import WHOLE_RUN, OutputFile
from tasks.services.jobs import Ended, Job, Started
from tasks.services.reaching import target_or_end
from tasks.targets import Target


class _Output:
    """Writes what Ansible reports into the file of the run and of the host that it is about."""

    def __init__(self, job: Job, rows: dict[str, RunHost]) -> None:
        self._job = job
        self._rows = rows
        # Ansible's door has masked the secrets of all hosts.
        self._whole = OutputFile(job.run.pk, WHOLE_RUN, [], job.hints)
        self.files: dict[str, OutputFile] = {}
        self._task: dict[str, str] = {}

    def take(self, event: ansible.RunEvent) -> None:
        """Take one event."""
        row = self._rows.get(event.host or "")
        if row is not None and row.host_name and event.host is not None:
            self._begin(event.host, row)
        if not event.text.strip():
            return
        self._whole.write(f"{event.text}\n".encode())
        if row is not None and event.host is not None:
            self._to_host(event.host, event)

    def _begin(self, name: str, row: RunHost) -> None:
        if name not in self.files:
            self.files[name] = OutputFile(self._job.run.pk, row.pk, [], self._job.hints)
            self._job.record([Started(row.pk)])

    def _to_host(self, name: str, event: ansible.RunEvent) -> None:
        if (
            event.task
            and self._task.get(name) != event.task
            and self._job.run.kind == Run.Kind.PLAYBOOK
        ):
            self._task[name] = event.task
            self.files[name].write(f"TASK [{event.task}]\n".encode())
        self.files[name].write(f"{event.text}\n".encode())

    def size(self, name: str) -> int:
        """Give the number of bytes that a host brought."""
        return self.files[name].size if name in self.files else 0


def run_ansible(job: Job) -> str:
    """Run the module or playbook on every host of the job; give Ansible's own words on how it ended."""
    rows = named(job.rows)
    reached = {name: target_or_end(row, name) for name, row in rows.items()}
    job.record(end for end in reached.values() if isinstance(end, Ended))
    targets = [target for target in reached.values() if isinstance(target, Target)]
    if not targets:
        return ""
    output = _Output(job, rows)
    result = _call(job, targets, output)
    job.record(
        Ended(
            rows[name].pk,
            end.status,
            end.explanation,
            end.exit_code,
            output_bytes=output.size(name),
        )
        for name, end in result.hosts.items()
    )
    return result.explanation if result.status in {"failed", "timed_out"} else ""


def _call(job: Job, targets: list[Target], output: _Output) -> ansible.RunResult:
    options = ansible.RunOptions(
        private_root=settings.RUN_DIR / "private",
        timeout=job.run.timeout_seconds,
        forks=job.run.forks,
        connect_timeout=settings.RUN_CONNECT_TIMEOUT_SECONDS,
    )
    if job.run.kind == Run.Kind.MODULE:
        return ansible.run_module(
            targets,
            job.run.module,
            job.run.arguments,
            options,
            on_event=output.take,
            cancelled=job.watch.look,
        )
    return ansible.run_playbook(
        targets,
        job.run.playbook_text,
        options,
        on_event=output.take,
        cancelled=job.watch.look,
    )


def named(rows: list[RunHost]) -> dict[str, RunHost]:
    """Give each host a name of its own: two machines may have the same host name."""
    names: dict[str, RunHost] = {}
    for row in rows:
        names[
            row.host_name if row.host_name not in names else f"{row.host_name}-{row.pk}"
        ] = row
    return names
