"""The doors through which deliveries begin by themselves, and sets: as door_things, prepared first and tried later."""

from __future__ import annotations

from django.core.cache import cache
from django.utils import timezone

from delivery.models import (
    DeploySchedule,
    FollowUp,
    GitHookDelivery,
    ReleaseSet,
    SetPart,
)
from delivery.releasesets import advance as sets
from delivery.releasesets.starting import start_set
from delivery.triggers import following
from delivery.triggers.saving import switch_trigger
from delivery.triggers.ticking import tick
from delivery.triggers.wishing import wish
from tests.app_factories import make_environment
from tests.delivery.factories import make_deploy, make_pipeline
from tests.delivery.triggers.door_things import Act, Ground, decided, sent_by, tried
from tests.delivery.triggers.trigger_things import (
    NINE,
    call,
    due,
    make_follow_up,
    make_githook,
    make_schedule,
    push,
)


def request(g: Ground) -> Act:
    wish(actor=g.paper.user, key="k", trigger="hook", ref="main", **g.where())
    return decided


def schedule(g: Ground) -> Act:
    due(g.paper)

    def words() -> str:
        tick(NINE)
        return decided()

    return words


def git_hook(g: Ground) -> Act:
    cache.clear()
    hook = make_githook(g.paper)

    def words() -> str:
        call(hook, push())
        message = GitHookDelivery.objects.latest("pk")
        return "" if message.verdict == "started" else message.words

    return words


def follow_up(g: Ground) -> Act:
    before = make_environment(
        g.paper.pipeline.project, "before", hosts=g.paper.hosts, by=g.paper.user
    )
    first = make_pipeline(g.paper.pipeline.project)
    rule = make_follow_up(g.paper, g.paper.environment, after_environment=before)
    FollowUp.objects.filter(pk=rule.pk).update(after_pipeline=first)
    deploy = make_deploy(
        before,
        pipeline=first,
        status="ok",
        ended_at=timezone.now(),
        artefact=g.artefact,
    )

    def words() -> str:
        following.deploy_ended(deploy.pk)
        return decided()

    return words


def turned_on(g: Ground) -> Act:
    row = make_schedule(g.paper, enabled=False)
    return tried(lambda: switch_trigger(actor=g.paper.user, row=row, enabled=True))


def trigger_form(g: Ground) -> Act:
    sent = {"name": "n", "ref": "main", "crontab": "0 3 * * *", "time_zone": "UTC"}
    sent |= {name: row.pk for name, row in g.where().items()}

    def words() -> str:
        answer = g.client.post("/delivery/deploy-schedules/add/", sent)
        assert DeploySchedule.objects.exists() == (answer.status_code == 302)
        return sent_by(answer)

    return words


def _set(g: Ground) -> ReleaseSet:
    made = ReleaseSet.objects.create(name="spring")
    made.places.create(position=1, ref="main", **g.where())
    return made


def set_form(g: Ground) -> Act:
    place = {name: row.pk for name, row in g.where().items()}
    sent = {"name": "spring", "items": [place | {"ref": "main"}]}
    return lambda: sent_by(g.api.post("release-sets/", sent))


def set_start(g: Ground) -> Act:
    made = _set(g)
    return tried(lambda: start_set(actor=g.paper.user, release_set=made, reason="r"))


def set_part(g: Ground) -> Act:
    run = start_set(actor=g.paper.user, release_set=_set(g), reason="r")

    def words() -> str:
        sets.advance(run.pk)
        decided()
        sets.advance(run.pk)
        return SetPart.objects.get().words

    return words


OF_TRIGGERS = (
    *(request, schedule, git_hook, follow_up, turned_on, trigger_form),
    *(set_form, set_start, set_part),
)
