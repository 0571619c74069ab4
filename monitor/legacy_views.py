"""AdminSet's own address for measurements, with AdminSet's answer (docs/api.md); off unless switched on."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from adminset.middleware import client_address
from cmdb.legacy_door import legacy
from monitor import legacy as measurements


@legacy("POST")
def received_sys_info(request: HttpRequest, payload: dict[str, Any]) -> HttpResponse:
    """Take the measurements of an old agent."""
    measurements.receive(payload=payload, address=client_address(request))
    return HttpResponse("Post the system Monitor Data successfully!")
