"""The lane of Ansible: modules, playbooks and roles; one run of Ansible for all hosts of a batch."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.utils.translation import ngettext

from adminset.errors import DomainError
from tasks import ansible
from tasks.ansible_options import (
    PlayOptions,
    forks_for,
    mitogen_strategies,
    read_options,
)
from tasks.ansible_roles import read_role
from tasks.ansible_variables import check_variables
from tasks.models import Run, RunHost
from tasks.output import WHOLE_RUN, OutputFile, limits
from tasks.services.jobs import Ended, Job
from tasks.services.reaching import target_or_end
from tasks.targets import Target


class _Output:
    """Writes what Ansible reports into the file of the run and of the host that it is about."""

    def __init__(self, job: Job, rows: dict[str, RunHost]) -> None:
        self._job = job
        self._rows = rows
        # Ansible's door has masked the secrets of all hosts.
        self._limit, most = limits(job.run.host_count, whole=True)
        self._whole = OutputFile(job.run.pk, WHOLE_RUN, [], job.hints, most)
        self.files: dict[str, OutputFile] = {}
        self._task: dict[str, str] = {}

    def note(self, words: str) -> None:
        """Write a line of the portal's own into the file of the run."""
        self._whole.write(f"[AdminSet: {words}]\n".encode())

    def take(self, event: ansible.RunEvent) -> None:
        """Take one event."""
        if not event.text.strip():
            return
        self._whole.write(f"{event.text}\n".encode())
        if event.host in self._rows:
            self._to_host(event.host, event)

    def _to_host(self, name: str, event: ansible.RunEvent) -> None:
        if name not in self.files:
            row = self._rows[name]
            self.files[name] = OutputFile(
                self._job.run.pk, row.pk, [], self._job.hints, self._limit
            )
        new = event.task and self._task.get(name) != event.task
        if new and self._job.run.kind != Run.Kind.MODULE:
            self._task[name] = str(event.task)
            self.files[name].write(f"TASK [{event.task}]\n".encode())
        self.files[name].write(f"{event.text}\n".encode())

    def close(self) -> None:
        """Write the rest of all files."""
        for file in (self._whole, *self.files.values()):
            file.close()

    def look(self) -> bool:
        """Write what has waited long enough, and ask whether the run is to stop."""
        for file in (self._whole, *self.files.values()):
            file.flush_due()
        return self._job.watch.look()


def run_ansible(job: Job) -> str:
    """Run the module, playbook or role on every host of the job; give Ansible's own words on how it ended.

    The hosts are begun already: one process works on all of them.
    """
    rows = named(job.rows)
    try:
        play = _play_options(job.run, list(rows))
        options = _options(job, play)
    except DomainError as error:
        words = f"{error.message} {error.hint}".strip()
        status = RunHost.Status.NOT_STARTED
        job.record(Ended(row.pk, status, words) for row in rows.values())
        return words
    reached = {name: target_or_end(row, name) for name, row in rows.items()}
    job.record(end for end in reached.values() if isinstance(end, Ended))
    targets = [target for target in reached.values() if isinstance(target, Target)]
    if not targets:
        return ""
    output = _Output(job, rows)
    options = _with_forks(job.run, options, output, targets)
    try:
        result = _call(job, targets, options, output)
    finally:
        output.close()
    job.record(_ends(rows, output, result))
    return result.explanation if result.status in {"failed", "timed_out"} else ""


def _play_options(run: Run, batch: list[str]) -> PlayOptions:
    """Read the run's options; `limit` may name any of its hosts, in whatever batch.

    Raises:
        DomainError: an option that there is not, or that cannot be.
    """
    names = set(run.hosts.values_list("host_name", flat=True)) | set(batch)
    return read_options(run.options, names)


def _options(job: Job, play: PlayOptions) -> ansible.RunOptions:
    run = job.run
    check_variables(run.variables, job.secret_answers)
    mitogen = settings.ANSIBLE_MITOGEN_PATH
    connect = settings.RUN_CONNECT_TIMEOUT_SECONDS
    return ansible.RunOptions(
        private_root=job.private_root,
        timeout=run.timeout_seconds,
        connect_timeout=run.connect_timeout_seconds or connect,
        idle_timeout=run.idle_timeout_seconds,
        play=play,
        variables=run.variables,
        secrets=job.secret_answers,
        roles=job.roles,
        wrapper=tuple(settings.RUN_WRAPPER),
        owner=settings.RUN_WRAPPER_OWNER,
        mitogen_path=mitogen_strategies(mitogen) if play.mitogen else "",
    )


def _with_forks(
    run: Run, options: ansible.RunOptions, output: _Output, targets: list[Target]
) -> ansible.RunOptions:
    """Say how many hosts are worked on at once, in the output too."""
    count, memory = len(targets), settings.ANSIBLE_FORK_MEGABYTES
    forks = forks_for(run.forks, settings.ANSIBLE_MAX_FORKS, count, memory)
    words = ngettext(
        "%(count)s host, %(forks)s at once.",
        "%(count)s hosts, %(forks)s at once.",
        count,
    )
    output.note(words % {"count": count, "forks": forks})
    return replace(options, forks=forks)


def _ends(
    rows: dict[str, RunHost], output: _Output, result: ansible.RunResult
) -> list[Ended]:
    return [
        _with_output(
            Ended(
                rows[name].pk,
                end.status,
                end.explanation,
                end.exit_code,
                limit=end.limit,
            ),
            output.files.get(name),
        )
        for name, end in result.hosts.items()
    ]


def _with_output(end: Ended, file: OutputFile | None) -> Ended:
    if file is None:
        return end
    return replace(
        end,
        output_bytes=file.received,
        stored_bytes=file.kept,
        output_hash=file.digest,
    )


def _call(
    job: Job, targets: list[Target], options: ansible.RunOptions, output: _Output
) -> ansible.RunResult:
    run = job.run
    watch: dict[str, Any] = {"on_event": output.take, "cancelled": output.look}
    if run.kind == Run.Kind.MODULE:
        return ansible.run_module(targets, run.module, run.arguments, options, **watch)
    if run.kind == Run.Kind.ROLE:
        files = read_role(run.playbook_text)
        name = run.role.name if run.role else run.title
        return ansible.run_role(targets, name, files, options, **watch)
    return ansible.run_playbook(targets, run.playbook_text, options, **watch)


def named(rows: list[RunHost]) -> dict[str, RunHost]:
    """Give each host a name of its own: two machines may have the same host name."""
    names: dict[str, RunHost] = {}
    for row in rows:
        names[
            row.host_name if row.host_name not in names else f"{row.host_name}-{row.pk}"
        ] = row
    return names
