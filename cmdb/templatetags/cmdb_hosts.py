"""Words of this room's templates."""

from typing import Any

from django import template

from adminset.querysets import may
from cmdb import conflict_sides as reading
from cmdb import conflict_verbs as verbs
from cmdb import group_rules, overview
from cmdb.models import Agent, Host, HostGroup, IdentityConflict
from cmdb.services import admission
from cmdb.tables import gib

register = template.Library()
register.filter("gib", gib)


@register.simple_tag(takes_context=True)
def host_overview(context: template.Context, host: Host) -> dict[str, Any]:
    """Give what the first tab of a host's page draws for its reader."""
    return overview.overview(host, context["request"].user)


@register.simple_tag(takes_context=True)
def conflict_sides(
    context: template.Context, conflict: IdentityConflict
) -> dict[str, Any]:
    """Give what the page of a conflict shows side by side, for its reader."""
    return reading.sides(conflict, context["request"].user)


@register.simple_tag
def conflict_verbs(conflict: IdentityConflict) -> list[dict[str, Any]]:
    """List the decisions that a conflict is open to."""
    return verbs.verbs(conflict)


@register.simple_tag(takes_context=True)
def group_filter(context: template.Context, group: HostGroup) -> dict[str, Any]:
    """Give what the page of a dynamic group says of its filter, for its reader."""
    return {
        "said": group_rules.describe(group.rule, context["request"].user),
        "query": group_rules.list_query(group.rule),
        "by_agents": group_rules.is_said_by_agents(group.rule),
    }


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
