"""The list of terminal sessions."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from adminset.unseen import visible
from tasks.models import TerminalCommand, TerminalSession

AGO = "{% ago value %}"
LENGTH = "{{ value|duration }}"
NUMBER = {"td": {"class": "num"}}


class TerminalSessionTable(ResourceTable):
    """Who was where, newest first."""

    username = tables.Column(linkify=True, verbose_name=_("user"))
    state = tables.TemplateColumn(
        "{% status_badge record.badge.state record.badge.label %}",
        verbose_name=_("state"),
    )
    opened_at = tables.TemplateColumn(AGO)
    ended_at = tables.TemplateColumn("{% if value %}{% ago value %}{% endif %}")
    duration = tables.TemplateColumn(
        LENGTH, verbose_name=_("duration"), orderable=False, attrs=NUMBER
    )
    idle = tables.TemplateColumn(
        LENGTH,
        verbose_name=_("idle"),
        order_by=("-last_input_at",),
        attrs=NUMBER,
    )
    command_count = tables.Column(attrs=NUMBER)
    highest_risk = tables.TemplateColumn(
        template_name="tasks/terminal_sessions/_risk.html", verbose_name=_("risk")
    )
    reason = tables.Column(attrs={"td": {"class": "wrap"}})
    end_reason = tables.Column(attrs={"td": {"class": "wrap"}})

    class Meta(ResourceTable.Meta):
        model = TerminalSession
        fields = (
            "username",
            "host_name",
            "state",
            "login",
            "credential_name",
            "become",
            "client_address",
            "opened_at",
            "ended_at",
            "duration",
            "idle",
            "command_count",
            "highest_risk",
            "recording",
            "reason",
            "end_reason",
        )
        default_columns = (
            "username",
            "host_name",
            "state",
            "login",
            "client_address",
            "opened_at",
            "duration",
            "idle",
            "highest_risk",
            "recording",
        )

    def render_reason(self, value: str) -> str:
        """Show signs that cannot be seen by their numbers."""
        return visible(value)

    render_end_reason = render_reason

    def value_state(self, record: TerminalSession) -> str:
        """Give the word for exports."""
        return record.badge["label"]

    def value_highest_risk(self, value: int) -> str:
        """Give the word for exports."""
        return str(TerminalCommand.Risk(value).label)
