"""Deploys that give way to a rollback: paused, with nothing switched. Nobody waits behind a pause to get back to what ran well."""

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from appconf.models import Environment
from delivery.models import Deploy, DeployHost, DeployLock, DeployStep


def gives_way(environment: Environment) -> QuerySet[Deploy]:
    """Give the deploy that holds an environment and gives way to a rollback; none where another one, or a person, holds it."""
    held = DeployLock.objects.filter(environment=environment, deploy=OuterRef("pk"))
    touched = DeployHost.objects.filter(deploy=OuterRef("pk"), touched=True)
    # Once that has begun the release is live everywhere, and no host counts as touched any more.
    finishes = DeployStep.objects.filter(
        deploy=OuterRef("pk"), kind=DeployStep.Kind.FINISH
    ).exclude(status=DeployStep.Status.WAITING)
    paused = Deploy.objects.filter(status=Deploy.Status.PAUSED, ending="")
    return paused.filter(Exists(held), ~Exists(touched), ~Exists(finishes))


def cancels_words(environment: Environment) -> list[str]:
    """Say to whoever is about to roll back which deploy is cancelled by it."""
    words = _("%(deploy)s is paused and switched nothing: the rollback cancels it.")
    return [words % {"deploy": one} for one in gives_way(environment).defer("plan")]
