"""The list of sites, with how each does at this moment."""

from typing import Any

import django_tables2 as tables
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from adminset.templatetags.ui import icon, state_icon, time_tag
from tasks.models import Site
from tasks.sites.health import Health, health_of, with_jumps


def _told(title: Any, css: str = "") -> tables.Column:
    """Make a column that is worked out for each site."""
    attrs = {"td": {"class": css}} if css else {}
    return tables.Column(
        verbose_name=title, orderable=False, empty_values=(), accessor="pk", attrs=attrs
    )


class SiteTable(ResourceTable):
    """Sites: state, workers, queue, work."""

    idc = tables.Column(linkify=lambda record: record.get_absolute_url())
    state = _told(_("state"))
    words = _told(_("why"), "wrap")
    workers = _told(_("workers"), "num")
    length = _told(_("messages in the queue"), "num")
    going = _told(_("runs going"), "num")
    waiting = _told(_("runs waiting"), "num")
    seen_at = tables.Column(empty_values=())
    last_failed_at = tables.TemplateColumn(
        "{% ago value %}", verbose_name=_("last failure")
    )

    class Meta(ResourceTable.Meta):
        model = Site
        fields = (
            "idc",
            "state",
            "words",
            "how",
            "workers",
            "seen_at",
            "length",
            "going",
            "waiting",
            "last_failed_at",
            "jump",
            "fallback",
            "other",
            "most",
            "enabled",
            "notes",
        )
        default_columns = (
            "idc",
            "state",
            "words",
            "how",
            "going",
            "waiting",
            "last_failed_at",
        )

    @cached_property
    def _health(self) -> dict[int, Health]:
        return health_of(with_jumps(Site.objects.all()))

    def render_state(self, record: Site) -> Any:
        """Draw the state as colour, icon and word."""
        health = self._health[record.pk]
        return format_html(
            '<span class="badge-state state-{}">{}{}</span>',
            health.state,
            icon(state_icon(health.state)),
            health.label,
        )

    def value_state(self, record: Site) -> str:
        """Give the word for exports."""
        return str(self._health[record.pk].label)

    def render_words(self, record: Site) -> str:
        """Say why."""
        return self._health[record.pk].words

    def render_workers(self, record: Site) -> int:
        """Count the workers that were seen of late."""
        return len(self._health[record.pk].workers)

    def render_length(self, record: Site) -> Any:
        """Count the messages that wait."""
        length = self._health[record.pk].length
        return "-" if length is None else length

    def render_going(self, record: Site) -> int:
        """Count what its workers have in hand."""
        return self._health[record.pk].going

    def render_waiting(self, record: Site) -> int:
        """Count what waits for its workers."""
        return self._health[record.pk].waiting

    def render_seen_at(self, record: Site) -> Any:
        """Say when a worker was seen last."""
        return time_tag(self._health[record.pk].seen_at) if record.has_queue else "-"

    def value_seen_at(self, value: Any) -> Any:
        """Give the moment for exports."""
        return value or ""
