"""The way from a project to an environment of it."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from adminset.crud.views import find
from adminset.http import requires
from appconf.resources import PROJECT


@requires("appconf.add_environment")
@require_safe
def project_environment(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead from a project to the form of a new environment of it."""
    project = find(PROJECT, request.user, pk)
    query = urlencode({"project": project.pk})
    return redirect(f"{reverse('appconf:environment_add')}?{query}")
