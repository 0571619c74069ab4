"""The portal's side of the bench of the SSH lane: hosts, runs, a worker's work, in one process. Told on stdin, tells on stdout."""

import json
import resource
import sys
import threading
import time
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - Django must be set up first

from accounts.models import User  # noqa: E402 - likewise
from cmdb.models import Credential, Host  # noqa: E402 - likewise
from tasks import output  # noqa: E402 - likewise
from tasks.models import Run  # noqa: E402 - likewise
from tasks.services.execute import execute_part  # noqa: E402 - likewise
from tasks.services.launch import RunSpec, request_run  # noqa: E402 - likewise
from tasks.ssh.pool import POOL  # noqa: E402 - likewise


def main() -> None:
    """Run on every host and print what it took."""
    told = json.load(sys.stdin)
    user, ids = _fill(told)
    first_byte = _first_byte(user, ids[0])
    POOL.close()
    began, before = time.perf_counter(), time.process_time()
    run = _run(user, ids, told["forks"])
    wall, cpu = time.perf_counter() - began, time.process_time() - before
    began = time.perf_counter()
    _run(user, ids, told["forks"])
    seen = {
        "wall": wall,
        "cpu": cpu,
        "again": time.perf_counter() - began,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "ok": run.ok_count,
        "first_byte": first_byte,
        "words": run.explanation,
    }
    json.dump(seen, sys.stdout)


def _fill(told: dict[str, Any]) -> tuple[User, list[int]]:
    user = User.objects.create_superuser("bench", None)
    credential = Credential.objects.create(
        name="farm", username=told["user"], private_key=told["key"]
    )
    Host.objects.bulk_create(
        Host(
            hostname=name,
            address=address,
            ssh_port=port,
            host_key=key,
            credential=credential,
        )
        for name, address, port, key in told["places"]
    )
    return user, list(Host.objects.order_by("pk").values_list("pk", flat=True))


def _run(user: User, ids: list[int], forks: int, command: str = "true") -> Run:
    spec = RunSpec(command=command, host_ids=tuple(ids), forks=forks)
    run = request_run(actor=user, spec=spec)
    execute_part(run_id=run.pk, queue=settings.RUN_QUEUE, worker="bench")
    run.refresh_from_db()
    return run


def _first_byte(user: User, host_id: int) -> float:
    """Measure from asking for a run to the first byte of its output; a second time, when all is imported."""
    _run(user, [host_id], 1, "echo warm")
    POOL.close()
    began = time.perf_counter()
    spec = RunSpec(command="echo first", host_ids=(host_id,), forks=1)
    run = request_run(actor=user, spec=spec)
    path = output.path_of(run.pk, run.hosts.get().pk)
    seen: list[float] = []

    def watch() -> None:
        while not (path.exists() and path.stat().st_size):
            time.sleep(0.002)
        seen.append(time.perf_counter())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    execute_part(run_id=run.pk, queue=settings.RUN_QUEUE, worker="bench")
    watcher.join(10)
    return seen[0] - began


if __name__ == "__main__":
    main()
