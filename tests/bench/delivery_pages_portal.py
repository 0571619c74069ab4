"""The portal's side of the bench of deploys' pages: workers that deliver, and one that asks for pages. Told on stdin, tells on stdout."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import django

django.setup()

from django.test import Client  # noqa: E402 - Django must be set up first
from django.urls import reverse  # noqa: E402 - likewise

from accounts.models import User  # noqa: E402 - likewise
from appconf.models import Environment  # noqa: E402 - likewise
from cmdb.models import Credential  # noqa: E402 - likewise
from delivery.engine import legwork  # noqa: E402 - likewise
from delivery.models import Artefact, Deploy, Pipeline  # noqa: E402 - likewise
from tests.app_factories import make_environment, make_project  # noqa: E402 - likewise
from tests.bench.figures import percentile  # noqa: E402 - likewise
from tests.delivery.engine.deploy_things import (  # noqa: E402 - likewise
    ROOT,
    Stage,
    asked_with_roots,
)
from tests.factories import make_host  # noqa: E402 - likewise
from tests.soaks.deploy_ground import end, forked, has_ended, turn  # noqa: E402 - likewise

ROUNDS = 30
# The application that is started anew: workers wait meanwhile, as they do in life.
RESTART = "sleep 0.5"
# A worker that asks for its next deploy has not begun it yet.
PATIENCE = 30.0


class Desk:
    """Projects on hosts of their own, one deploy after the other to each."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.folder = Path(told["folder"])
        self.user = User.objects.create_superuser("bench", None)
        credential = Credential.objects.create(
            name="farm", username=told["user"], private_key=told["key"]
        )
        hosts = [
            make_host(
                name,
                address=address,
                ssh_port=port,
                host_key=key,
                credential=credential,
            )
            for name, address, port, key in told["places"]
        ]
        roots = {host.pk: self.folder / "hosts" / host.hostname for host in hosts}
        vars(legwork)["request_leg"] = asked_with_roots(roots)
        each = len(hosts) // told["deploys"]
        self.stages = [
            self._stage(number, hosts[number * each : (number + 1) * each], roots)
            for number in range(told["deploys"])
        ]
        # All kept beforehand: what workers would number at the same time is not measured.
        self.releases = [self._releases(stage) for stage in self.stages]

    def _stage(self, number: int, hosts: list[Any], roots: Any) -> Stage:
        project = make_project(f"shop{number}", deploy_path=ROOT)
        environment: Environment = make_environment(
            project, "live", hosts=hosts, by=self.user
        )
        pipeline = Pipeline.objects.create(
            project=project, name="main", timeout_seconds=60, restart=RESTART
        )
        return Stage(self.user, pipeline, environment, hosts, roots, self.folder)

    @staticmethod
    def _releases(stage: Stage) -> list[Artefact]:
        project = stage.pipeline.project
        return [stage.artefact(f"{project} {n}", project=project) for n in range(2)]

    def work(self, number: int, first: int, until: float) -> None:
        """Deliver: the deploy that was asked for, then others until the time is over."""
        pk, count = first, 0
        while True:
            while Deploy.objects.get(pk=pk).is_open:
                turn(pk)
            count += 1
            if time.time() > until:
                return
            pk = self.stages[number].ask(self.releases[number][count % 2]).pk


class Reader:
    """Asks for the list and for the page of a deploy, and notes how long each took (ms): by the clock, and of the processor."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._wall: dict[str, list[float]] = {"list": [], "page": []}
        self._cpu: dict[str, list[float]] = {"list": [], "page": []}

    @property
    def has_read(self) -> bool:
        """Whether it was asked to read at all."""
        return bool(self._wall["list"])

    def read(self, deploy: Deploy) -> None:
        """Ask once for both."""
        urls = {"list": reverse("delivery:deploy_list")}
        urls["page"] = deploy.get_absolute_url()
        for name, url in urls.items():
            began, spent = time.perf_counter(), time.process_time()
            assert self._client.get(url).status_code == 200, url
            self._wall[name].append((time.perf_counter() - began) * 1000)
            self._cpu[name].append((time.process_time() - spent) * 1000)

    def told(self, name: str) -> dict[str, dict[str, float]]:
        """Give what it noted, under a name."""
        return {
            name: {page: percentile(t, 0.95) for page, t in self._wall.items()},
            f"{name}_cpu": {page: percentile(t, 0.5) for page, t in self._cpu.items()},
        }


def read_beside(workers: list[int], reader: Reader) -> None:
    """Ask for pages as long as all workers deliver."""
    until = time.monotonic() + PATIENCE
    while not any(has_ended(worker) for worker in workers):
        open_now = Deploy.objects.open().filter(started_at__isnull=False)
        deploy = open_now.order_by("-pk").first()
        if deploy is not None:
            reader.read(deploy)
        elif not reader.has_read and time.monotonic() > until:
            raise RuntimeError("no deploy has begun")
        time.sleep(0.02)


def main() -> None:
    """Measure while nobody works, then while all do."""
    told = json.load(sys.stdin)
    desk, client = Desk(told), Client()
    client.force_login(desk.user)
    first = [
        stage.ask(releases[0])
        for stage, releases in zip(desk.stages, desk.releases, strict=True)
    ]
    Reader(client).read(first[0])
    idle, beside = Reader(client), Reader(client)
    for _ in range(ROUNDS):
        idle.read(first[0])
    until = time.time() + told["seconds"]
    workers = [
        forked(lambda n=number, pk=deploy.pk: desk.work(n, pk, until))  # type: ignore[misc]
        for number, deploy in enumerate(first)
    ]
    try:
        read_beside(workers, beside)
    finally:
        for worker in workers:
            end(worker)
    bad = Deploy.objects.filter(status__in=Deploy.BAD).first()
    if bad is not None:
        raise RuntimeError(f"{bad} {bad.status}: {bad.explanation}")
    ended = Deploy.objects.filter(status=Deploy.Status.OK).count()
    seen = {**idle.told("idle"), **beside.told("busy"), "ended": ended}
    json.dump(seen, sys.stdout)


if __name__ == "__main__":
    main()
