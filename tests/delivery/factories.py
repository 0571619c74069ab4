"""Makes rows of delivery for tests: plain functions, each with the least that is needed."""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.models import User
from appconf.models import Environment, Project
from cmdb.models import Host
from delivery.artefacts import store
from delivery.artefacts.rules import Rules
from delivery.models import (
    Artefact,
    Build,
    Deploy,
    DeployHost,
    DeployLock,
    DeployRequest,
    DeploySchedule,
    DeployStep,
    FollowUp,
    GitHook,
    LiveRelease,
    Pipeline,
    PipelineTemplate,
    ReleaseSet,
    SetRun,
)
from delivery.planning.targets import covers
from tests.app_factories import make_environment, make_project
from tests.factories import make_host

_numbers = itertools.count(1)


def make_pipeline(
    project: Project | None = None, name: str = "", **fields: Any
) -> Pipeline:
    """Make a pipeline, of a project of its own unless one is given."""
    return Pipeline.objects.create(
        project=project or make_project(),
        name=name or f"pipeline {next(_numbers)}",
        **fields,
    )


def make_pipeline_template(name: str = "", **fields: Any) -> PipelineTemplate:
    """Make a template of pipelines."""
    return PipelineTemplate.objects.create(
        name=name or f"template {next(_numbers)}", **fields
    )


def make_artefact(project: Project, **fields: Any) -> Artefact:
    """Make the row of an artefact; its files are nowhere."""
    number = (
        fields.pop("number", 0) or Artefact.objects.filter(project=project).count() + 1
    )
    fields.setdefault("sha256", f"{project.pk:x}".rjust(8, "a") + f"{number:056x}")
    fields.setdefault("commit", f"{number:040x}")
    fields.setdefault("subject", f"change {number}")
    fields.setdefault("committed_at", timezone.now() - timedelta(hours=5))
    return Artefact.objects.create(project=project, number=number, **fields)


def store_artefact(project: Project, folder: Path, **files: str) -> Artefact:
    """Store an artefact with some files in the store of the settings, and make its row."""
    folder.mkdir(parents=True)
    for name, text in files.items():
        place = folder / name.replace("__", "/").replace("_", ".")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    kept = store.add(folder, Rules())
    return make_artefact(
        project, sha256=kept.sha256, size=kept.size, file_count=kept.count
    )


def make_plan_json(deploy_hosts: Iterable[Host], **fields: Any) -> dict[str, Any]:
    """Make a plan as plain values, as planning/plan.py gives it."""
    rows = [
        {
            "host_id": host.pk,
            "host": host.hostname,
            "batch": 0,
            "from_release": "1-aaaaaaaa",
            "to_release": "2-aaaaaaaa",
            "files": 10,
            "size": 1000,
            "bytes": 500,
            "config": [],
            "warnings": [],
            "critical": "",
        }
        for host in deploy_hosts
    ]
    return {
        "rows": rows,
        "commands": [],
        "commits": [],
        "blast": [],
        "warnings": [],
        "problems": [],
        "closed": "",
        "approvals_needed": 0,
        "to_release": "2-aaaaaaaa",
        "commit": "f" * 40,
        "branch": "main",
        "hash": "h" * 64,
        "batch_count": 1,
        "path": "/srv/app",
        "variables": [],
        "way": {"policy": "direct"},
    } | fields


def make_deploy(
    environment: Environment | None = None,
    *,
    pipeline: Pipeline | None = None,
    hosts: Iterable[Host] | None = None,
    by: User | None = None,
    **fields: Any,
) -> Deploy:
    """Make a deploy with its hosts (those of the environment unless given); steps are made by make_step."""
    environment = environment or make_environment(hosts=[make_host()])
    pipeline = pipeline or Pipeline.objects.filter(project=environment.project).first()
    pipeline = pipeline or make_pipeline(environment.project)
    listed = list(environment.all_hosts() if hosts is None else hosts)
    whole = covers(environment, [host.pk for host in listed])
    fields.setdefault("plan", make_plan_json(listed, whole=whole))
    fields.setdefault("plan_hash", "h" * 64)
    fields.setdefault("ref", "main")
    fields.setdefault("requested_by_name", by.username if by else "somebody")
    made = Deploy.objects.create(
        pipeline=pipeline, environment=environment, requested_by=by, **fields
    )
    for host in listed:
        DeployHost.objects.create(
            deploy=made, host=host, host_name=host.hostname, to_release=made.release
        )
    return made


def make_step(
    deploy: Deploy, kind: str, status: str = "waiting", **fields: Any
) -> DeployStep:
    """Make a step behind those that a deploy has."""
    position = deploy.steps.count() + 1
    return DeployStep.objects.create(
        deploy=deploy, kind=kind, status=status, position=position, **fields
    )


def make_build(project: Project, **fields: Any) -> Build:
    """Make a build."""
    return Build.objects.create(project=project, **fields)


def make_live(
    environment: Environment, host: Host, release: str, **fields: Any
) -> LiveRelease:
    """Say that a release is live on a host, and that the host said so."""
    values = {"expected": release, "said": release, "read_at": timezone.now()}
    return LiveRelease.objects.create(
        environment=environment, host=host, **(values | fields)
    )


def make_lock(
    environment: Environment, owner: User, reason: str = "tests"
) -> DeployLock:
    """Lock an environment by hand."""
    return DeployLock.objects.create(
        environment=environment,
        owner=owner,
        owner_name=owner.username,
        reason=reason,
    )


def make_delivery(environment: Environment, host: Host, owner: User) -> dict[str, int]:
    """Make one of everything for an environment; give their keys by the name of the model, for the permission matrix."""
    pipeline = make_pipeline(environment.project)
    artefact = make_artefact(environment.project)
    deploy = make_deploy(environment, pipeline=pipeline, hosts=[host], by=owner)
    make_live(environment, host, artefact.release, artefact=artefact)
    build = make_build(environment.project, deploy=deploy)
    rows = (
        *(pipeline, artefact, deploy, build, make_lock(environment, owner)),
        *make_triggers(pipeline, environment, owner),
    )
    return {str(row._meta.model_name): row.pk for row in rows}


def make_triggers(
    pipeline: Pipeline, environment: Environment, owner: User
) -> list[Any]:
    """Make one of everything that delivers by itself, and a set that went."""
    where: dict[str, Any] = {"pipeline": pipeline, "environment": environment}
    number, run_as = next(_numbers), {"run_as": owner, "enabled": False}
    release_set = ReleaseSet.objects.create(name=f"set {number}")
    set_run = SetRun.objects.create(
        release_set=release_set, name="set", state="ok", requested_by=owner
    )
    release_set.places.create(position=1, **where)
    set_run.parts.create(position=1, state="ok", **where)
    after = {"after_pipeline": pipeline, "after_environment": environment}
    return [
        DeploySchedule.objects.create(
            name=f"nightly {number}", crontab="0 3 * * *", **where, **run_as
        ),
        GitHook.objects.create(
            name=f"hook {number}", secret="x" * 16, **where, **run_as
        ),
        FollowUp.objects.create(**after, **where, **run_as),
        DeployRequest.objects.create(
            key=f"test:{number}", asked_by=owner, state="refused", **where
        ),
        release_set,
        set_run,
    ]
