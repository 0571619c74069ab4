"""The lists of checks and heartbeats."""

import django_tables2 as tables

from adminset.crud.tables import ResourceTable
from monitor.models import Heartbeat, ServiceCheck

AGO = "{% ago value %}"
BADGE = "{% status_badge record.badge.state record.badge.label %}"
NUMBER = {"td": {"class": "num"}}


class ServiceCheckTable(ResourceTable):
    """Service checks."""

    name = tables.Column(linkify=True)
    state = tables.TemplateColumn(BADGE)
    sentence = tables.Column(attrs={"td": {"class": "wrap"}})
    since = tables.TemplateColumn(AGO)
    latency_ms = tables.TemplateColumn(
        "{% if value is not None %}{{ value|floatformat:0 }}{% endif %}", attrs=NUMBER
    )
    checked_at = tables.TemplateColumn(AGO)
    every_seconds = tables.Column(attrs=NUMBER)

    class Meta(ResourceTable.Meta):
        model = ServiceCheck
        fields = (
            "name",
            "state",
            "sentence",
            "since",
            "kind",
            "target",
            "host",
            "host_group",
            "product_line",
            "site",
            "every_seconds",
            "latency_ms",
            "checked_at",
            "enabled",
        )
        default_columns = (
            "name",
            "state",
            "sentence",
            "since",
            "kind",
            "host",
            "latency_ms",
            "checked_at",
        )


class HeartbeatTable(ResourceTable):
    """Heartbeats."""

    name = tables.Column(linkify=True)
    state = tables.TemplateColumn(BADGE)
    sentence = tables.Column(attrs={"td": {"class": "wrap"}})
    since = tables.TemplateColumn(AGO)
    last_ping_at = tables.TemplateColumn(AGO)
    last_duration_ms = tables.Column(attrs=NUMBER)

    class Meta(ResourceTable.Meta):
        model = Heartbeat
        fields = (
            "name",
            "state",
            "sentence",
            "since",
            "period_seconds",
            "crontab",
            "time_zone",
            "grace_seconds",
            "host",
            "host_group",
            "product_line",
            "last_ping_at",
            "last_duration_ms",
            "enabled",
        )
        default_columns = (
            "name",
            "state",
            "sentence",
            "since",
            "period_seconds",
            "crontab",
            "last_ping_at",
        )
