"""Three projects in a set of releases, each with a release that is live; deploys of its parts end as a test wants."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from accounts.models import User
from delivery.models import (
    Artefact,
    Deploy,
    ReleaseSet,
    ReleaseSetItem,
    SetPart,
    SetRun,
)
from delivery.releasesets.advance import advance
from delivery.releasesets.starting import start_set
from delivery.triggers.making import make
from tests.app_factories import make_environment, make_project
from tests.delivery.factories import make_artefact, make_live, make_pipeline
from tests.factories import make_host


@dataclass
class Row:
    """Three projects in a set, each with a release that is live."""

    user: User
    release_set: ReleaseSet
    before: list[Artefact]

    def start(self) -> SetRun:
        run = start_set(actor=self.user, release_set=self.release_set, reason="spring")
        advance(run.pk)
        return run

    def deploy_of(self, position: int, back: bool = False) -> Deploy:
        """Make the deploy of a part that is wished for."""
        part = SetPart.objects.get(position=position)
        wish = part.back_request if back else part.request
        assert wish is not None
        make(wish.pk)
        wish.refresh_from_db()
        assert wish.deploy is not None, wish.words
        return wish.deploy

    def end(
        self,
        position: int,
        status: str = "ok",
        back: bool = False,
        touched: bool = False,
    ) -> None:
        """Let the deploy of a part end."""
        deploy = self.deploy_of(position, back)
        deploy.hosts.update(touched=touched)
        Deploy.objects.filter(pk=deploy.pk).update(
            status=status, explanation=f"it is {status}"
        )
        advance(SetPart.objects.get(position=position).set_run_id)

    def states(self) -> list[str]:
        return list(
            SetPart.objects.order_by("position").values_list("state", flat=True)
        )


@pytest.fixture
def row(admin: User, settings: object, tmp_path: object) -> Row:
    made, before = ReleaseSet.objects.create(name="spring"), []
    for number in range(1, 4):
        project = make_project(f"p{number}")
        host = make_host(f"host{number}")
        environment = make_environment(project, "live", hosts=[host], by=admin)
        old = make_artefact(project)
        kept = [{"release": old.release, "good": True, "bad": False}]
        make_live(environment, host, old.release, artefact=old, kept=kept)
        before.append(old)
        ReleaseSetItem.objects.create(
            release_set=made,
            position=number,
            pipeline=make_pipeline(project),
            environment=environment,
            ref_kind="branch",
            ref="main",
        )
    return Row(admin, made, before)
