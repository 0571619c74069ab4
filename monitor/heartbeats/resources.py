"""Heartbeats: form and declaration, pages and REST endpoints follow from it."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm
from adminset.crud.plain import plain_filter
from adminset.crud.resource import Action, Panel, Resource
from adminset.querysets import may
from monitor.checks.resources import TABS, history_of
from monitor.checks.tables import HeartbeatTable
from monitor.heartbeats.services import save_heartbeat
from monitor.models import Heartbeat

CHANGE = "monitor.change_heartbeat"
FOUND = ("state", "sentence", "since", "last_ping_at", "last_duration_ms", "pings")
SCHEDULE = ("period_seconds", "crontab", "time_zone", "grace_seconds")


class HeartbeatForm(ResourceForm):
    """A heartbeat."""

    class Meta:
        model = Heartbeat
        fields = (
            "name",
            *SCHEDULE,
            "host",
            "host_group",
            "product_line",
            "enabled",
            "notes",
        )
        widgets = {"notes": forms.Textarea(attrs={"rows": 2})}

    def clean(self) -> dict[str, Any]:
        """Want either a period or a crontab."""
        cleaned = super().clean()
        given = bool(cleaned.get("period_seconds")) + bool(cleaned.get("crontab"))
        if given != 1 and not {"period_seconds", "crontab"} & set(self.errors):
            words = gettext("Say how often, or give a crontab: one of the two.")
            self.add_error("period_seconds", words)
        return cleaned


def _results(request: HttpRequest, heartbeat: Heartbeat) -> dict[str, Any]:
    return history_of(heartbeat)


def _address(request: HttpRequest, heartbeat: Heartbeat) -> dict[str, Any]:
    """Give its address to those who may change it, and to nobody else."""
    key: Any = heartbeat.key
    if key is None or not may(request.user, "change", heartbeat):
        return {"beat_url": ""}
    path = reverse("hb:beat", args=[key.reveal()])
    return {"beat_url": request.build_absolute_uri(path)}


HEARTBEAT = Resource(
    model=Heartbeat,
    table=HeartbeatTable,
    form=HeartbeatForm,
    filterset=plain_filter(Heartbeat, "state", "host_group", "product_line", "enabled"),
    path="heartbeats",
    icon="heart-pulse",
    search=("name", "notes"),
    tabs=TABS,
    panels=(
        Panel("results", _("Results"), "monitor/_heartbeat_results.html", _results),
        Panel(
            "address", _("Address"), "monitor/_heartbeat_address.html", _address, CHANGE
        ),
    ),
    actions=(
        Action(
            _("Pause"),
            "monitor:heartbeat_pause",
            "pause",
            CHANGE,
            post=True,
            when=lambda heartbeat: heartbeat.enabled,
        ),
        Action(
            _("Go on"),
            "monitor:heartbeat_resume",
            "play",
            CHANGE,
            post=True,
            when=lambda heartbeat: not heartbeat.enabled,
        ),
    ),
    detail_fields=(*FOUND, *HeartbeatForm.Meta.fields),
    bulk_fields=(*SCHEDULE, "enabled", "host_group", "product_line", "notes"),
    api_fields=(*HeartbeatForm.Meta.fields, *FOUND),
    list_queryset=lambda rows: rows.select_related(
        "host", "host_group", "product_line"
    ).defer("last_body"),
    save=save_heartbeat,
)
