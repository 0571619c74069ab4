"""Words of this room's templates."""

from typing import Any

from django import template

from cmdb import overview
from cmdb.models import Agent, Host
from cmdb.tables import gib

register = template.Library()
register.filter("gib", gib)


@register.simple_tag
def host_overview(host: Host) -> dict[str, Any]:
    """Give what the first tab of a host's page draws."""
    return overview.overview(host)


@register.filter
def clock(agent: Agent) -> str:
    """Say how far an agent's clock is off."""
    return overview.clock_offset(agent.clock_offset_seconds)
