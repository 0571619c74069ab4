"""The request to have all files of what is live compared with what was delivered."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from adminset.http import requires
from appconf.models import Environment
from delivery.pages.finding import find
from delivery.safety import deep_look


@requires("delivery.add_deploy")
@require_POST
def environment_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the hosts of an environment to compare the files of their live release; nothing is changed."""
    environment = find(Environment, request.user, pk, "deploy")
    deep_look.ask(actor=request.user, environment=environment)
    return redirect("delivery:environment_live", pk)
