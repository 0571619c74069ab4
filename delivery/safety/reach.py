"""Where a pipeline may go: asked wherever a deploy is asked for, when a request becomes one, and again when it begins."""

from django.utils.translation import gettext as _

from adminset.errors import Conflict
from appconf.models import Environment
from delivery.models import Pipeline


def strays_words(pipeline: Pipeline, environment: Environment) -> str:
    """Say that a pipeline does not go to an environment; "" where it may."""
    if pipeline.goes_to(environment):
        return ""
    words = _("%(pipeline)s does not go to %(environment)s.")
    return words % {"pipeline": pipeline, "environment": environment}


def ensure_goes_to(pipeline: Pipeline, environment: Environment) -> None:
    """Let pass a pipeline that may go to an environment.

    Raises:
        Conflict: it names others (code "not_its_environment").
    """
    if words := strays_words(pipeline, environment):
        raise Conflict(
            words,
            _(
                "Take a pipeline that does; whoever may change what guards deploys can add the environment."
            ),
            code="not_its_environment",
        )
