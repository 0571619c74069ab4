"""Permissions of this room as they hold on one environment: those on something that is only about to be made."""

from typing import Any

from django.utils.translation import gettext as _

from accounts.models import ApiToken
from adminset.errors import Forbidden
from adminset.querysets import scope_of
from appconf.models import Environment, Project


def holds_on(actor: Any, permission: str, environment: Environment) -> bool:
    """Say whether the actor holds a permission ("delivery.add_deploy") on an environment's project."""
    scope = scope_of(actor, permission)
    if scope.everything or not scope:
        return bool(scope)
    reached = Environment.objects.all().within(scope, "deploy")
    return reached.filter(pk=environment.pk).exists()


def holds_in(actor: Any, permission: str, project_id: int) -> bool:
    """Say whether the actor holds a permission on a project."""
    scope = scope_of(actor, permission)
    if scope.everything or not scope:
        return bool(scope)
    reached = Project.objects.all().within(scope, permission.partition(".")[2])
    return reached.filter(pk=project_id).exists()


def limit_by(user: Any, token_id: int | None) -> None:
    """Let a token speak for a user, with its limits as they are now.

    Raises:
        Forbidden: it is gone.
    """
    user.token = ApiToken.objects.usable().filter(pk=token_id, user=user).first()
    if user.token is None:
        raise Forbidden(_("The token that asked for this is gone."), code="token_gone")
