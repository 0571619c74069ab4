"""Where a new host gets the agent: the script that installs it, and the package; public, and nothing in it is secret."""

import re

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.errors import DomainError, NotFound
from monitor import agent_deb, agent_package
from monitor.agent_package import Package

# It goes into a shell script: no quote, no blank, no dollar.
ADDRESS = re.compile(
    r"https?://[A-Za-z0-9._-]+(?::[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?"
)


@require_safe
def install_script(request: HttpRequest) -> HttpResponse:
    """Give install.sh, filled with this portal's address and the package's checksum."""
    portal = request.build_absolute_uri("/").rstrip("/")
    if not ADDRESS.fullmatch(portal):
        raise DomainError(
            _("This address cannot be written into a script."),
            _("Ask for the script by the portal's plain name."),
            code="bad_address",
            status=400,
        )
    text = agent_package.script(portal, agent_package.tarball())
    return _answer(text.encode(), "text/x-shellscript; charset=utf-8")


@require_safe
def package(request: HttpRequest, name: str) -> HttpResponse:
    """Give the package of this portal's own version; any other name is not there."""
    for offered in (agent_package.tarball, agent_deb.deb):
        found: Package = offered()
        if found.name == name:
            answer = _answer(found.content, "application/octet-stream")
            answer["Content-Disposition"] = f'attachment; filename="{found.name}"'
            answer["X-Checksum-Sha256"] = found.sha256
            return answer
    raise NotFound(
        _("There is no such package."),
        _("Get install.sh anew: it names the package of this version."),
    )


def _answer(content: bytes, kind: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=kind)
    # After an upgrade of the portal both change together.
    answer["Cache-Control"] = "no-cache"
    return answer
