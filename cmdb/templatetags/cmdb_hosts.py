"""Words of this room's templates."""

from typing import Any

from django import template

from adminset.querysets import may
from cmdb import overview
from cmdb.models import Agent, Host
from cmdb.services import admission
from cmdb.tables import gib

register = template.Library()
register.filter("gib", gib)


@register.simple_tag(takes_context=True)
def host_overview(context: template.Context, host: Host) -> dict[str, Any]:
    """Give what the first tab of a host's page draws for its reader."""
    return overview.overview(host, context["request"].user)


@register.simple_tag(takes_context=True)
def agent_foreseen(context: template.Context, agent: Agent) -> str:
    """Say to who may let a waiting agent in what would come of it."""
    user = context["request"].user
    return (
        admission.foresee(actor=user, agent=agent) if may(user, "change", agent) else ""
    )


@register.filter
def clock(agent: Agent) -> str:
    """Say how far an agent's clock is off."""
    return overview.clock_offset(agent.clock_offset_seconds)
