"""AdminSet's own addresses for its agents and scripts, with AdminSet's answers (docs/api.md); off unless switched on."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from adminset.middleware import client_address
from cmdb import legacy_hosts
from cmdb.legacy_door import legacy
from cmdb.services import legacy as services


@legacy("POST")
def collect(request: HttpRequest, payload: dict[str, Any]) -> HttpResponse:
    """Take what an old agent says of its machine."""
    if not payload["ip"] or not payload["hostname"]:
        return HttpResponse(
            "Error your agent ip or hostname is empty! Please resolve your hostname."
        )
    services.collect(payload=payload, address=client_address(request))
    return HttpResponse("Post asset data to server successfully!")


@legacy("GET")
def gethost(request: HttpRequest, query: dict[str, Any]) -> HttpResponse:
    """Give all hosts, or one by its name."""
    name = query["name"]
    if name == "all":
        members = legacy_hosts.all_hosts()
        return _json([{"hostname": "all", "members": members}])
    found = legacy_hosts.host(name)
    if found is None:
        return HttpResponse("There is no such host.", status=404)
    return _json({"status": 0, "message": "ok", "data": found})


@legacy("GET")
def getgroup(request: HttpRequest, query: dict[str, Any]) -> HttpResponse:
    """Give the hosts of all groups, or of one."""
    found = legacy_hosts.groups(query["name"])
    if not found and query["name"] != "all":
        return HttpResponse("There is no such group.", status=404)
    return _json(found)


def _json(value: Any) -> HttpResponse:
    # A list at the top, as AdminSet answered.
    return JsonResponse(value, safe=False)
