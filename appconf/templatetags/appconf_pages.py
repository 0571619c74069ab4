"""Words of this room's templates."""

from typing import Any

from django import template

from appconf import application, vouching
from appconf.models import Environment, Project
from cmdb.models import Host

register = template.Library()


@register.simple_tag(takes_context=True)
def application_page(context: template.Context, project: Project) -> dict[str, Any]:
    """Give what the page of an application draws for its reader."""
    return application.page_of(context["resource"], project, context["request"].user)


@register.simple_tag(takes_context=True)
def environment_place(
    context: template.Context, environment: Environment
) -> application.Place:
    """Give the hosts of an environment and what is live there, for its reader."""
    user = context["request"].user
    return application.places_of(user, [environment])[0]


@register.simple_tag(takes_context=True)
def unvouched(context: template.Context, environment: Environment) -> list[Host]:
    """List hosts that are not delivered to, as far as the reader sees them."""
    user = context["request"].user
    mine = Host.objects.visible_to(user).order_by().values("pk")
    rows = vouching.unvouched_of(environment).filter(pk__in=mine)
    return list(rows.order_by("hostname")[:10])
