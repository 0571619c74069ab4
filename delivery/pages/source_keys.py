"""The keys of the ssh servers that a project's source is read from: forgotten when a server has a new one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from adminset.http import requires
from appconf.models import Project
from delivery.pages.finding import find
from delivery.sources.keys import forget_keys


@requires("appconf.change_project")
@require_POST
def project_forget_keys(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget the keys of a project's source: what its server shows next is kept, and asked for from then on."""
    user: Any = request.user
    project = find(Project, user, pk, "change")
    count = forget_keys(actor=user, project=project)
    words = ngettext(
        "%(count)s key is forgotten.", "%(count)s keys are forgotten.", count
    )
    if count:
        messages.success(request, words % {"count": count})
    else:
        messages.info(request, _("No key was known."))
    return redirect(project)
