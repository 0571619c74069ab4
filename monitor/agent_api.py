"""Where agents report: enrolment, facts, metrics (docs/agent-protocol.md); what they send most is answered by monitor/agent_door.py."""

import time

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from adminset.body_limit import length_of
from adminset.errors import DomainError
from adminset.middleware import client_address
from cmdb.services import agents, tokens
from monitor import agent_auth, reception, report_path, services
from monitor.body import TooLargeError, inflate
from monitor.intake import parse_enrolment, parse_rotation
from monitor.metric_store import limits
from monitor.report_path import Sent, here


@csrf_exempt
def enroll(request: HttpRequest) -> JsonResponse:
    """Take a new agent in: 201 with its id and secret, once."""
    token = agent_auth.bearer(_bearer(request))
    tokens.check(token)
    report = parse_enrolment(_body(request), limits(), time.time())
    agent_id, secret = services.enrol(
        plain_token=token, report=report, address=client_address(request)
    )
    body = {"agent_id": agent_id, "secret": secret, **reception.wishes(None)}
    return JsonResponse(body, status=201)


@csrf_exempt
def facts(request: HttpRequest) -> JsonResponse:
    """Take what a host says it is."""
    return JsonResponse(here(report_path.facts, _sent(request)))


@csrf_exempt
def metrics(request: HttpRequest) -> JsonResponse:
    """Take samples; 200 only when all that it names is stored durably."""
    return JsonResponse(here(report_path.metrics, _sent(request)))


@csrf_exempt
def rotate(request: HttpRequest) -> JsonResponse:
    """Give an agent a new secret, once; the old one works until the first use of the new."""
    agent = _agent(request)
    secret = agents.rotate(
        agent=agent, boot_id=parse_rotation(_body(request), limits())
    )
    answer = JsonResponse({"agent_id": agent.public_id, "secret": secret})
    answer["Cache-Control"] = "no-store"
    return answer


def _bearer(request: HttpRequest) -> str:
    """Read the header with the token, before a byte of the body is looked at."""
    if request.method != "POST":
        raise DomainError(
            _("Agents report by POST."), code="method_not_allowed", status=405
        )
    return request.headers.get("Authorization", "")


def _agent(request: HttpRequest) -> agents.AgentIdentity:
    return agent_auth.prove(_bearer(request))


def _sent(request: HttpRequest) -> Sent:
    arrived = time.time()
    agent = _agent(request)
    return Sent(agent, _body(request), client_address(request), arrived)


def _body(request: HttpRequest) -> bytes:
    bounds = limits()
    if length_of(request.headers.get("Content-Length", "")) > bounds.body_bytes:
        raise TooLargeError(
            _("The body is larger than %(most)s bytes.") % {"most": bounds.body_bytes}
        )
    return inflate(
        request.read(bounds.body_bytes + 1),
        request.headers.get("Content-Encoding", ""),
        bounds,
    )
