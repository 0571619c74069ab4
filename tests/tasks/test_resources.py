"""Playbooks and runs as every resource: lists, pages, export, REST, scope."""

from __future__ import annotations

from typing import Any

import pytest

from cmdb.models import HostGroup
from tasks.models import Playbook, Run, RunHost
from tests.crud import ResourceTests
from tests.factories import make_host


class TestPlaybooks(ResourceTests):
    model = Playbook

    def make(self, number: int = 0, *, outside: bool = False) -> Playbook:
        return Playbook.objects.create(
            name=f"playbook {number}", content="- hosts: all"
        )

    def valid(self) -> dict[str, Any]:
        return {"name": "typed", "description": "d", "content": "- hosts: all"}

    def test_every_tab_opens(self, client_of, admin) -> None:
        playbook = self.make()
        for tab in ("content", "runs"):
            assert (
                client_of(admin)
                .get(f"{playbook.get_absolute_url()}?tab={tab}")
                .status_code
                == 200
            )


class TestRuns(ResourceTests):
    model = Run
    scoped = True

    @pytest.fixture(autouse=True)
    def _groups(self, group: HostGroup, other_group: HostGroup) -> None:
        self.inside, self.outside = group, other_group

    def make(self, number: int = 0, *, outside: bool = False) -> Run:
        run = Run.objects.create(
            title=f"run number {number}",
            command="id",
            requested_by_name="x",
            host_count=1,
        )
        host = make_host(groups=[self.outside if outside else self.inside])
        RunHost.objects.create(run=run, host=host, host_name=host.hostname)
        return run

    def valid(self) -> dict[str, Any]:
        return {"command": "id"}

    def test_the_api_adds_changes_and_deletes(self, client_of: Any, admin: Any) -> None:
        """It starts runs (tests/tasks/run_api); nobody changes or deletes one."""
        client, run = client_of(admin), self.make()
        kind = {"content_type": "application/json"}
        assert client.post(self._api(), {}, **kind).status_code == 422
        for ask in (client.patch, client.put, client.delete):
            answer = ask(self._api(run.pk), {"title": "other"}, **kind)
            assert answer.status_code in {403, 405}
        assert list(Run.objects.values_list("title", flat=True)) == [run.title]
