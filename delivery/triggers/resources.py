"""Pages and REST endpoints of what delivers by itself."""

from typing import Any

import django_tables2 as tables
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter, plain_table
from adminset.crud.resource import Action, Panel, Resource
from delivery.masking import mask_requests
from delivery.models import Deploy, DeploySchedule, FollowUp, GitHook
from delivery.triggers.forms import (
    PATTERNS,
    POLICY,
    TIMES,
    WHERE,
    DeployScheduleForm,
    FollowUpForm,
    GitHookForm,
)
from delivery.triggers.saving import save_trigger

LATEST, SHOWN = 50, 5
TABS = (
    "delivery:deployschedule_list",
    "delivery:githook_list",
    "delivery:followup_list",
    "delivery:releaseset_list",
)
RELATED = ("pipeline__project", "environment__project", "run_as")
SAVED_BY = ("enabled", "run_as", "notice")


def _seen(request: HttpRequest, requests: list[Any]) -> set[int]:
    """Give the ids of those deploys of some requests that the reader may see; why others were refused names no hidden host."""
    mask_requests(request.user, requests)
    keys = [one.deploy_id for one in requests if one is not None and one.deploy_id]
    rows = Deploy.objects.visible_to(request.user).filter(pk__in=keys)
    return set(rows.values_list("pk", flat=True))


def _times(request: HttpRequest, schedule: DeploySchedule) -> dict[str, Any]:
    """Give the next times, whether it is on or not."""
    return {"times": schedule.plan.upcoming(timezone.now(), SHOWN)}


def _results(request: HttpRequest, schedule: DeploySchedule) -> dict[str, Any]:
    """Give what became of the newest planned times."""
    rows = list(
        schedule.times.select_related("request__deploy").defer("request__deploy__plan")[
            :LATEST
        ]
    )
    return {"planned": rows, "seen": _seen(request, [row.request for row in rows])}


def _messages(request: HttpRequest, hook: GitHook) -> dict[str, Any]:
    """Give the newest messages of a web-hook."""
    related = hook.deliveries.select_related("request__deploy")
    rows = list(related.defer("request__deploy__plan")[:LATEST])
    return {"deliveries": rows, "seen": _seen(request, [row.request for row in rows])}


def _address(request: HttpRequest, hook: GitHook) -> dict[str, Any]:
    """Give the address, for those who may change the web-hook."""
    may_change = GitHook.objects.visible_to(request.user, "change")
    if not may_change.filter(pk=hook.pk).exists():
        return {"hook_url": ""}
    path = reverse("delivery:githook_in", args=[hook.key])
    return {"hook_url": request.build_absolute_uri(path)}


def _followed(request: HttpRequest, rule: FollowUp) -> dict[str, Any]:
    """Give what followed so far."""
    rows = list(rule.requests.select_related("deploy").defer("deploy__plan")[:LATEST])
    return {"requests": rows, "seen": _seen(request, rows)}


def _switches(name: str) -> tuple[Action, ...]:
    """Give the buttons that turn one on and off."""
    return (
        Action(
            _("Pause"),
            f"delivery:{name}_disable",
            "pause",
            f"delivery.change_{name}",
            when=lambda row: row.enabled,
        ),
        Action(
            _("Go on"),
            f"delivery:{name}_enable",
            "power-off",
            f"delivery.change_{name}",
            post=True,
            when=lambda row: not row.enabled,
        ),
    )


VERBS = frozenset({"add", "change", "delete"})
DEPLOY_SCHEDULES = Resource(
    model=DeploySchedule,
    table=plain_table(
        DeploySchedule,
        "name",
        "pipeline",
        "environment",
        "ref",
        "next_at",
        "enabled",
        "run_as",
        next_at=tables.TemplateColumn("{% ago value %}", verbose_name=_("next deploy")),
    ),
    form=DeployScheduleForm,
    filterset=plain_filter(DeploySchedule, "enabled", "ref_kind"),
    path="deploy-schedules",
    icon="calendar-days",
    search=("name", "ref", "pipeline__name", "pipeline__project__name"),
    tabs=TABS,
    detail_fields=(
        *WHERE,
        "ref_kind",
        "ref",
        "only_new",
        "when",
        "next_at",
        *POLICY,
        *SAVED_BY,
    ),
    api_fields=(
        "name",
        *WHERE,
        "ref_kind",
        "ref",
        "only_new",
        *TIMES,
        *POLICY,
        *SAVED_BY,
        "next_at",
    ),
    panels=(
        Panel("times", _("Next times"), "delivery/triggers/_times.html", _times),
        Panel("results", _("Results"), "delivery/triggers/_results.html", _results),
    ),
    actions=_switches("deployschedule"),
    list_queryset=lambda rows: rows.select_related(*RELATED),
    save=save_trigger,
    verbs=VERBS,
)
FOLLOW_UPS = Resource(
    model=FollowUp,
    table=plain_table(
        FollowUp,
        "after_pipeline",
        "after_environment",
        "pipeline",
        "environment",
        "enabled",
        "run_as",
        after_pipeline=tables.Column(linkify=lambda record: record.get_absolute_url()),
    ),
    form=FollowUpForm,
    filterset=plain_filter(FollowUp, "enabled"),
    path="follow-ups",
    icon="arrow-right",
    search=(
        "pipeline__name",
        "pipeline__project__name",
        "after_pipeline__project__name",
    ),
    tabs=TABS,
    detail_fields=("after_pipeline", "after_environment", *WHERE, "branch", *SAVED_BY),
    api_fields=("after_pipeline", "after_environment", *WHERE, "branch", *SAVED_BY),
    panels=(
        Panel(
            "followed",
            _("What followed"),
            "delivery/triggers/_followed.html",
            _followed,
        ),
    ),
    actions=_switches("followup"),
    list_queryset=lambda rows: rows.select_related(
        *RELATED, "after_pipeline__project", "after_environment__project"
    ),
    save=save_trigger,
    verbs=VERBS,
)
GIT_HOOKS = Resource(
    model=GitHook,
    table=plain_table(
        GitHook,
        "name",
        "kind",
        "pipeline",
        "environment",
        "enabled",
        "run_as",
        "last_at",
        last_at=tables.TemplateColumn(
            "{% ago value %}", verbose_name=_("last message")
        ),
    ),
    form=GitHookForm,
    filterset=plain_filter(GitHook, "kind", "enabled"),
    path="git-hooks",
    icon="right-to-bracket",
    search=("name", "pipeline__name", "pipeline__project__name"),
    tabs=TABS,
    detail_fields=("kind", *WHERE, *SAVED_BY, "last_at"),
    api_fields=("name", "kind", *WHERE, *PATTERNS, *SAVED_BY, "last_at"),
    panels=(
        Panel(
            "address",
            _("Address and rules"),
            "delivery/triggers/_address.html",
            _address,
        ),
        Panel("messages", _("Messages"), "delivery/triggers/_messages.html", _messages),
    ),
    actions=_switches("githook"),
    list_queryset=lambda rows: rows.select_related(*RELATED),
    save=save_trigger,
    verbs=VERBS,
)
