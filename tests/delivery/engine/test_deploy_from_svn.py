"""From a revision of a real svn server to live files: read with a password, built, delivered, and the next one after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adminset.models import AuditEntry
from cmdb.models import Credential
from delivery.engine.requesting import request_deploy
from delivery.models import Deploy
from delivery.planning.planning import make_plan
from tests.delivery.engine.deploy_things import Stage, kinds
from tests.delivery.sources.svn_things import SvnServer, needs_svn, svn_server

pytestmark = [pytest.mark.django_db, needs_svn]
PASSWORD = "of-the-svn-server"


@pytest.fixture
def svn(stage: Stage, settings: Any, tmp_path: Path) -> Iterator[SvnServer]:
    """An svn server that is the source of the project; a build makes `word` loud."""
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]
    settings.SOURCE_SVN_PROTOCOLS = ["svn"]
    settings.BUILD_DIR = tmp_path / "builds"
    loud = {"kind": "build", "command": "tr a-z A-Z < word > loud; mv loud word"}
    stage.way(stages=[loud, *stage.pipeline.stages])
    with svn_server(tmp_path / "svn", user="ann", password=PASSWORD) as server:
        project = stage.pipeline.project
        project.source_type, project.source_address = "svn", server.url
        project.source_credential = Credential.objects.create(
            name="svn", username="ann", password=PASSWORD
        )
        project.save()
        yield server


def ask(stage: Stage, ref_kind: str, ref: str) -> tuple[Deploy, list[str]]:
    """Ask for a deploy; give it, and what its plan says is new."""
    about: dict[str, Any] = {
        "actor": stage.user,
        "pipeline": stage.pipeline,
        "environment": stage.environment,
        "ref_kind": ref_kind,
        "ref": ref,
    }
    plan = make_plan(**about)
    deploy = request_deploy(**about, plan_hash=plan.hash)
    return deploy, [commit.subject for commit in plan.commits]


def test_a_tag_and_then_a_revision_of_trunk_come_to_all_hosts(
    stage: Stage, svn: SvnServer
) -> None:
    svn.repository.commit({"word": "one"}, "it says one")
    svn.repository.copy("tags/v1")
    svn.repository.commit({"word": "two"}, "it says two")
    deploy = stage.drive(ask(stage, "tag", "v1")[0])
    assert deploy.status == "ok", (deploy.explanation, kinds(deploy))
    assert stage.live() == ["ONE", "ONE", "ONE"]
    current = stage.roots[stage.hosts[0].pk] / "current"
    assert not (current / ".svn").exists()
    assert AuditEntry.objects.filter(verb="credential.use").exists()

    following, new = ask(stage, "branch", "trunk")
    assert new == ["it says two"]
    # What comes after the yes is not in it.
    svn.repository.commit({"word": "three"}, "it says three")
    following = stage.drive(following)
    assert following.status == "ok", (following.explanation, kinds(following))
    assert stage.live() == ["TWO", "TWO", "TWO"]
    assert following.artefact is not None
    assert (following.artefact.commit, following.artefact.number) == ("4", 2)
    assert (current / "REVISION").read_text() == "4\n"
    places = (stage.folder / "builds", stage.folder / "hosts")
    files = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
