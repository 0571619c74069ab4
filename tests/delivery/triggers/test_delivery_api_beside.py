"""REST beside the start of deploys: look, stop, roll back, upload, mark."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from delivery.building import log
from delivery.engine.moves import write
from delivery.models import Artefact, DeployRequest, LiveRelease
from delivery.triggers.making import make
from tests.app_factories import grant_on
from tests.delivery.factories import (
    make_artefact,
    make_build,
    make_deploy,
    make_live,
    make_lock,
    make_step,
)
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.api_things import Api, api, deployer
from tests.factories import make_user
from tests.tasks.run_api.api_things import error_of

__all__ = ["api", "deployer"]
pytestmark = pytest.mark.django_db


def test_a_deploy_is_stopped_and_not_approved_by_a_program(
    api: Api, paper: Paper
) -> None:
    deploy = make_deploy(paper.environment, pipeline=paper.pipeline, status="running")
    told = api.post(f"deploys/{deploy.pk}/cancel/", {"reason": "wrong"})
    assert told.status_code == 200, told.content
    deploy.refresh_from_db()
    assert deploy.cancel_requested_at is not None
    assert api.post(f"deploys/{deploy.pk}/pause/").status_code == 403
    assert api.post(f"deploys/{deploy.pk}/decide/").status_code == 404
    write(deploy, status="ok")
    assert api.post(f"deploys/{deploy.pk}/cancel/").status_code == 409


def test_whoever_waits_is_told_when_something_is_new(
    api: Api, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy = make_deploy(paper.environment, pipeline=paper.pipeline, status="running")
    first = api.get(f"deploys/{deploy.pk}/status/").json()["mark"]
    assert (
        api.get(f"deploys/{deploy.pk}/status/", known=first, wait="0.1").json()["mark"]
        == first
    )
    make_step(deploy, "build", "running")
    assert (
        api.get(f"deploys/{deploy.pk}/status/", known=first, wait="20").json()["mark"]
        != first
    )


def test_the_log_of_a_build_is_read_by_offset(
    api: Api, paper: Paper, settings: Any, tmp_path: Any
) -> None:
    settings.BUILD_DIR = tmp_path / "builds"
    deploy = make_deploy(paper.environment, pipeline=paper.pipeline, status="running")
    build = make_build(paper.pipeline.project, deploy=deploy)
    step = make_step(deploy, "build", "running", build=build)
    written = log.BuildLog(build.pk)
    written.write(b"one\ntwo\n")
    piece = api.get(f"deploys/{deploy.pk}/log/", step=step.pk).json()
    assert (piece["text"], piece["ended"]) == ("one\ntwo\n", False)
    rest = api.get(f"deploys/{deploy.pk}/log/", offset=piece["next_offset"]).json()
    assert (rest["text"], rest["next_offset"]) == ("", piece["next_offset"])
    assert api.get(f"deploys/{deploy.pk}/log/", step=999999).status_code == 404


def test_a_rollback_is_wished_for_and_what_is_live_is_told(
    api: Api, paper: Paper
) -> None:
    old, new = (make_artefact(paper.pipeline.project) for _ in range(2))
    kept = [{"release": one.release, "good": True, "bad": False} for one in (old, new)]
    for host in paper.hosts:
        make_live(
            paper.environment,
            host,
            new.release,
            artefact=new,
            previous=old.release,
            kept=kept,
        )
    live = api.get(f"environments/{paper.environment.pk}/live/").json()
    assert (live["hosts"], live["hidden"]) == ([], 3)
    path = f"environments/{paper.environment.pk}/rollback/"
    assert api.post(path, {}).status_code == 422
    row = DeployRequest.objects.get(
        pk=api.post(path, {"reason": "broken"}).json()["id"]
    )
    make(row.pk)
    row.refresh_from_db()
    assert row.deploy is not None, row.words
    assert (row.deploy.kind, row.deploy.artefact, row.deploy.trigger) == (
        "rollback",
        old,
        "api",
    )
    make_lock(paper.environment, paper.user)
    named = api.post(path, {"reason": "x", "artefact": new.release}).json()["id"]
    make(named)
    assert DeployRequest.objects.get(pk=named).code == "locked"


def test_what_hosts_found_when_they_compared_their_files_is_told(
    api: Api, deployer: User, paper: Paper
) -> None:
    now = timezone.now()
    for number, host in enumerate(paper.hosts):
        grant_on(deployer, ("cmdb.view_host",), host)
        found = {"compared": "2-b", "changed": number, "compared_at": now}
        make_live(paper.environment, host, "2-b", said="2-b", **found)
    # What was compared before the last switch tells nothing of what is live now.
    LiveRelease.objects.filter(host=paper.hosts[1]).update(compared="1-a")
    live = api.get(f"environments/{paper.environment.pk}/live/").json()
    told = {one["host"]: one["changed"] for one in live["hosts"]}
    first, second, third = (host.pk for host in paper.hosts)
    assert told == {first: 0, second: None, third: 2}


def test_an_artefact_is_marked_bad_with_a_reason(api: Api, paper: Paper) -> None:
    row = make_artefact(paper.pipeline.project)
    assert api.post(f"artefacts/{row.pk}/mark-bad/", {}).status_code == 422
    assert (
        api.post(f"artefacts/{row.pk}/mark-bad/", {"reason": "leaks"}).json()["bad"]
        is True
    )
    assert Artefact.objects.get().bad_reason == "leaks"
    assert api.post(f"artefacts/{row.pk}/unmark-bad/", {}).json()["bad"] is False


def test_an_archive_comes_in_pieces_and_is_compared(
    api: Api, paper: Paper, settings: Any, tmp_path: Any
) -> None:
    settings.BUILD_DIR = tmp_path / "builds"
    path, data = f"projects/{paper.pipeline.project_id}/uploads/", b"archive" * 1000
    place = f"{path}{api.post(path).json()['ticket']}/"
    assert api.put(place, data[:4000]).json()["offset"] == 4000
    # Its answer was lost: sent again it is there once.
    assert api.put(place, data[:4000]).json()["offset"] == 4000
    assert error_of(api.put(f"{place}?offset=9", b"x"), 409)["code"] == "wrong_offset"
    api.put(f"{place}?offset=4000", data[4000:])
    sha256 = hashlib.sha256(data).hexdigest()
    kept = api.post(f"{place}finish/", {"name": "../a.tar", "sha256": sha256})
    assert (kept.status_code, kept.json()["size"]) == (201, 7000)
    assert [one["sha256"] for one in api.get(path).json()] == [sha256]
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert api.put(place, data).status_code == 413
    stranger = make_user("stranger")
    grant_on(
        stranger,
        ["appconf.view_project", "delivery.add_deploy"],
        paper.pipeline.project,
    )
    assert Api(stranger).post(path).status_code == 403
