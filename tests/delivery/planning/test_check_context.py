"""The checks before a deploy: what one reads with the plan is what the deploy looks for, and what nobody knows yet is no fault."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from delivery.artefacts import store
from delivery.engine.advance import advance
from delivery.engine.context import context_of
from delivery.models import Artefact, Deploy, DeployStep
from delivery.onhost import told
from delivery.planning import checking
from delivery.planning.preflight import ask_checks
from tasks.legs.reading import HostReport
from tasks.models import Run
from tests.delivery.factories import store_artefact
from tests.delivery.onhost.host_things import Box
from tests.delivery.safety.safety_things import Paper

pytestmark = pytest.mark.django_db
SHARED = "conf/site.ini\nlog/"


@pytest.fixture
def shop(paper: Paper, tmp_path: Path) -> Artefact:
    """A project with all that the checks look at, and an artefact that brings the shared file."""
    project = paper.pipeline.project
    project.ports, project.log_path = "8080, 9000/udp", "/var/log/shop/app.log"
    project.run_user = "root"
    project.save()
    paper.way(shared_paths=SHARED)
    return store_artefact(project, tmp_path / "built", conf__site_ini="name=x")


def checked(paper: Paper, plan: Any) -> dict[str, str]:
    """Give what the checks on wish tell the hosts."""
    run = ask_checks(
        actor=paper.user,
        environment=paper.environment,
        plan=plan,
        key=str(Run.objects.count()),
    )
    values: dict[str, str] = run.leg.values
    return values


def began(deploy: Deploy) -> dict[str, str]:
    """Give what the deploy's own checks tell the hosts."""
    advance(deploy.pk)
    step = deploy.steps.get(kind="check")
    assert step.run is not None, step.explanation
    values: dict[str, str] = step.run.leg.values
    return values


def seen(values: dict[str, str], root: Path) -> dict[str, told.CheckResult]:
    """Do the checks on a host whose deploy path is there, and empty."""
    root.mkdir(exist_ok=True)
    done = Box(root).run("check", **(values | {"AS_ROOT": str(root)}))
    assert done.code == 0, done
    report = HostReport(1, "web1", "ok", 0, "", done.told)
    return {one.id: one for one in told.checks(report)}


def test_the_plan_and_its_deploy_have_hosts_look_for_the_same(
    paper: Paper, shop: Artefact, tmp_path: Path
) -> None:
    before = checked(paper, paper.plan(artefact=shop).as_json())
    values = began(paper.ask(artefact=shop))
    assert values.pop("AS_DEPLOY") != before.pop("AS_DEPLOY")
    assert values == before
    assert values["AS_BRINGS"] == "conf/site.ini"
    assert (values["AS_NEED_FILES"], values["AS_NOT_BUILT"]) == ("1", "")
    assert values["AS_PORTS"] == "8080/tcp 9000/udp"
    assert seen(values, tmp_path / "app")["shared"].warns is False


def test_while_nothing_is_built_a_shared_file_that_lacks_is_a_warning(
    paper: Paper, shop: Artefact, tmp_path: Path
) -> None:
    plan = paper.plan(artefact=shop).as_json() | {"artefact_id": None, "to_release": ""}
    before = checked(paper, plan)
    deploy = paper.ask(artefact=shop)
    Deploy.objects.filter(pk=deploy.pk).update(artefact=None, ref_kind="upload")
    values = began(deploy)
    for one in (before, values):
        found = seen(one, tmp_path / "app")["shared"]
        assert (found.ok, found.warns) == (True, True)
        assert "conf/site.ini" in found.why
        # The newest release tells how much room the next will take.
        assert one["AS_NEED_BYTES"] == str(shop.size)


def test_a_shared_file_that_nobody_brings_is_a_fault(
    paper: Paper, shop: Artefact, tmp_path: Path
) -> None:
    paper.way(shared_paths="other.ini")
    values = checked(paper, paper.plan(artefact=shop).as_json())
    assert seen(values, tmp_path / "app")["shared"].ok is False


def test_files_of_the_release_are_read_by_the_checks_alone(
    paper: Paper, shop: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = store.manifest
    deploy = paper.ask(artefact=shop)
    monkeypatch.setattr(store, "manifest", lambda sha: read.append(sha) or real(sha))
    began(deploy)
    assert read == [shop.sha256]
    for kind in ("read", "distribute", "activate", "finish"):
        context_of(deploy, DeployStep(deploy=deploy, kind=kind))
    folders = checking.base_context(deploy.plan, paper.environment, who="ann")
    folders = replace(folders, shared=("log/",))
    assert checking.check_context(folders, paper.pipeline.project, shop).brings == ()
    assert read == [shop.sha256]


@pytest.mark.parametrize(
    ("text", "ports"),
    [("", ()), ("080", ("80/tcp",)), ("0, 70000, 99999/udp, 53/udp", ("53/udp",))],
)
def test_ports_are_told_as_hosts_read_them(text: str, ports: tuple[str, ...]) -> None:
    assert checking.ports_of(text) == ports
