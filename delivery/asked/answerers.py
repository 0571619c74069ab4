"""What workers answer to the pages of a deploy: references of the source, plans, the start of one."""

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError, NotFound
from appconf.models import Environment, Project
from delivery.artefacts.rules import Rules
from delivery.asked.answering import ANSWERERS
from delivery.building.trying import try_on_source
from delivery.engine.controlling import retry_deploy
from delivery.engine.requesting import request_deploy
from delivery.models import Deploy, LiveRelease, Pipeline
from delivery.planning.planning import make_plan
from delivery.selectors import most_live
from delivery.sources.face import BRANCH, TAG, Commit, Named, Ref
from delivery.sources.opening import source_of

PAGE_SECONDS = 120


def _pipeline(user: Any, about: dict[str, Any]) -> Pipeline:
    rows = Pipeline.objects.visible_to(user).select_related("project", "template")
    found = rows.filter(pk=about["pipeline"]).first()
    if found is None:
        raise NotFound(_("There is no such pipeline."))
    return found


def _environment(user: Any, about: dict[str, Any]) -> Environment:
    rows = Environment.objects.visible_to(user).select_related("project")
    found = rows.filter(pk=about["environment"]).first()
    if found is None:
        raise NotFound(_("There is no such environment."))
    return found


def answer_refs(user: Any, about: dict[str, Any]) -> dict[str, Any]:
    """Name the branches, tags, or commits that can be delivered."""
    pipeline = _pipeline(user, about)
    source = source_of(pipeline.project, actor=user, seconds=PAGE_SECONDS)
    refs = source.refs()
    if about["ref_kind"] == TAG:
        return {"refs": [_named(one, "") for one in refs.tags], "cut": refs.cut}
    if about["ref_kind"] == BRANCH:
        named = [_named(one, refs.default) for one in refs.branches]
        return {"refs": named, "cut": refs.cut}
    names = [one.name for one in refs.branches]
    asked = about.get("branch", "")
    branch = asked if asked in names else refs.default or next(iter(names), "")
    if not branch:
        return {"branches": [], "branch": "", "commits": []}
    return {"branches": names, "branch": branch} | _commits(source, branch, about)


def _named(one: Named, default: str) -> dict[str, Any]:
    words = " ".join(part for part in (one.name, one.commit[:10], one.words) if part)
    return {"name": one.name, "words": words, "is_default": one.name == default}


def _commits(source: Any, branch: str, about: dict[str, Any]) -> dict[str, Any]:
    live = live_commit(about.get("environment"))
    until = Ref(BRANCH, branch)
    page = source.commits(until=until)
    new = source.commits(until=until, since=live) if live else None
    return {
        "commits": [_told(one, live) for one in page.commits],
        "live": live,
        "new": new.total if new is not None and new.since_known else None,
    }


def _told(commit: Commit, live: str) -> dict[str, Any]:
    return {
        "commit": commit.id,
        "subject": commit.subject,
        "author": commit.author,
        "at": commit.when.isoformat() if commit.when else "",
        "is_live": bool(live) and commit.id == live,
    }


def live_commit(environment: int | None) -> str:
    """Give the commit that most hosts of an environment run; "" where that is not known."""
    rows = LiveRelease.objects.filter(environment=environment or 0)
    live = most_live(rows.select_related("artefact"))
    return next((artefact.commit for artefact in live if artefact.commit), "")


def answer_plan(user: Any, about: dict[str, Any]) -> dict[str, Any]:
    """Make a plan; nothing is written."""
    environment = _environment(user, about)
    plan = make_plan(
        actor=user,
        pipeline=_pipeline(user, about),
        environment=environment,
        ref_kind=about["ref_kind"],
        ref=about["ref"],
        host_ids=about["host_ids"],
        kind=_kind(environment, about),
    )
    return plan.as_json()


def _kind(environment: Environment, about: dict[str, Any]) -> str:
    """Call it a promotion where the very artefact ran well in another environment."""
    if about["ref_kind"] != Deploy.RefKind.ARTEFACT:
        return Deploy.Kind.DEPLOY
    well = Deploy.objects.filter(artefact=about["ref"], status=Deploy.Status.OK)
    elsewhere = well.exclude(environment=environment).exists()
    return Deploy.Kind.PROMOTE if elsewhere else Deploy.Kind.DEPLOY


def answer_begin(user: Any, about: dict[str, Any]) -> int:
    """Make the plan once more, and write the deploy down; give its number. A deploy that is tried again is named by `retry`."""
    if about.get("retry"):
        return _retried(user, about)
    deploy = request_deploy(
        actor=user,
        pipeline=_pipeline(user, about),
        environment=_environment(user, about),
        ref_kind=about["ref_kind"],
        ref=about["ref"],
        host_ids=about["host_ids"],
        kind=about["kind"],
        plan_hash=about["plan_hash"],
        reason=about["reason"],
        emergency_reason=about.get("emergency_reason", ""),
        wait=bool(about.get("wait")),
    )
    return deploy.pk


def _retried(user: Any, about: dict[str, Any]) -> int:
    deploy = Deploy.objects.visible_to(user).filter(pk=about["retry"]).first()
    if deploy is None:
        raise DomainError(_("There is no such deploy."), status=404)
    return retry_deploy(
        actor=user,
        deploy=deploy,
        what=about["what"],
        emergency_reason=about.get("emergency_reason", ""),
    ).pk


def answer_rules(user: Any, about: dict[str, Any]) -> dict[str, Any]:
    """Say what rules would take of the source of a project as it is now."""
    project = Project.objects.visible_to(user).filter(pk=about["project"]).first()
    if project is None:
        raise NotFound(_("There is no such project."))
    rules = Rules(tuple(about["include"]), tuple(about["exclude"]))
    told = try_on_source(actor=user, project=project, rules=rules, seconds=PAGE_SECONDS)
    return asdict(told)


def join() -> None:
    """Make the answers known to the worker."""
    ANSWERERS.update(
        refs=answer_refs, plan=answer_plan, begin=answer_begin, rules=answer_rules
    )
