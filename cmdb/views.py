"""The pages that are no resource's own: enrolment tokens, links and ends of agents, the home card."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from adminset.errors import DomainError
from adminset.http import requires
from cmdb import selectors
from cmdb.forms.agents import AgentForm, EnrolmentTokenForm
from cmdb.models import Agent, EnrolmentToken
from cmdb.services import admission, agents, hosts, tokens

# The token by environment: an argument would stand in the list of processes.
INSTALL = "curl -fsS {script} | ADMINSET_ENROLL_TOKEN={token} sh"


def me(request: HttpRequest) -> User:
    """Give the signed-in user: `requires` let nobody else in."""
    return cast("User", request.user)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def install_command(request: HttpRequest, plain: str = "") -> str:
    """Give the line that installs and enrols an agent, with this portal's own address."""
    script = request.build_absolute_uri(reverse("agent_download:install"))
    return INSTALL.format(script=script, token=plain or "TOKEN")


@requires("cmdb.add_enrolmenttoken")
@never_cache
def enrolmenttoken_add(request: HttpRequest) -> HttpResponse:
    """Make a token and show it: this once."""
    form = EnrolmentTokenForm(_posted(request), user=request.user)
    names = EnrolmentToken._meta
    title = _("Add %(name)s") % {"name": names.verbose_name}
    list_url = reverse("cmdb:enrolmenttoken_list")
    context: dict[str, Any] = {
        "form": form,
        "page_title": title,
        "crumbs": [(names.verbose_name_plural, list_url), (title, None)],
        "cancel_url": list_url,
    }
    if request.method == "POST" and form.is_valid():
        token, plain = tokens.create_enrolment_token(
            actor=me(request), **form.cleaned_data
        )
        command = install_command(request, plain)
        context |= {"token": token, "plain": plain, "command": command}
        return render(request, "cmdb/enrolmenttoken_made.html", context)
    return render(
        request, "generic/form.html", context, status=422 if form.errors else 200
    )


@requires("cmdb.change_enrolmenttoken")
@require_POST
def enrolmenttoken_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token."""
    token: EnrolmentToken = selectors.to_change(EnrolmentToken, request.user, pk)
    tokens.revoke_enrolment_token(actor=me(request), token=token)
    messages.success(request, _("%(name)s is revoked.") % {"name": token})
    return redirect(token)


@requires("cmdb.change_agent")
@require_POST
def agent_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End an agent."""
    agent: Agent = selectors.to_change(Agent, request.user, pk)
    agents.revoke(actor=me(request), agent=agent)
    messages.success(request, _("%(name)s is revoked.") % {"name": agent})
    return redirect(agent)


@requires("cmdb.change_agent")
@require_POST
def agent_admit(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a waiting agent in."""
    agent: Agent = selectors.to_change(Agent, request.user, pk)
    host = admission.admit(actor=me(request), agent=agent)
    messages.success(request, _("%(name)s is let in.") % {"name": host})
    return redirect(agent)


@requires("cmdb.change_agent")
@require_POST
def agent_refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a waiting agent away."""
    agent: Agent = selectors.to_change(Agent, request.user, pk)
    admission.refuse(actor=me(request), agent=agent)
    messages.success(request, _("%(name)s is turned away.") % {"name": agent})
    return redirect(agent)


@requires("cmdb.change_agent")
def agent_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a person say that a discovered host is one that was entered by hand."""
    agent: Agent = selectors.to_change(Agent, request.user, pk)
    form = AgentForm(_posted(request), user=request.user)
    if request.method == "POST" and form.is_valid():
        host = form.cleaned_data["host"]
        try:
            hosts.link_agent(actor=me(request), agent=agent, host=host)
        except DomainError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
        else:
            messages.success(
                request, _("The agent speaks for %(host)s now.") % {"host": host}
            )
            return redirect(host)
    title = _("This is another host")
    context = {
        "form": form,
        "page_title": title,
        "crumbs": [
            (Agent._meta.verbose_name_plural, reverse("cmdb:agent_list")),
            (str(agent), agent.get_absolute_url()),
            (title, None),
        ],
        "agent": agent,
        "cancel_url": agent.get_absolute_url(),
    }
    status = 422 if form.errors else 200
    return render(request, "cmdb/agent_link.html", context, status=status)


@requires("cmdb.view_host")
@require_safe
def card(request: HttpRequest) -> HttpResponse:
    """Draw the card of the home page."""
    figures = selectors.figures(request.user)
    hosts_url = reverse("cmdb:host_list")
    context = {
        "tiles": _tiles(figures, hosts_url),
        "rows": [
            {
                "title": str(host),
                "url": host.get_absolute_url(),
                "when": host.created_at,
                "text": _("added"),
            }
            for host in figures["newest"]
        ],
        "more_url": hosts_url,
        "no_hosts": not figures["total"] and not figures["waiting"],
        "command": install_command(request),
        "may_enrol": request.user.has_perm("cmdb.add_enrolmenttoken"),
    }
    return render(request, "cmdb/card.html", context)


def _tiles(figures: dict[str, Any], hosts_url: str) -> list[dict[str, Any]]:
    silent = figures["silent"]
    tiles = [
        {"label": _("Hosts"), "value": figures["total"], "url": hosts_url},
        {
            "label": _("Silent agents"),
            "value": silent,
            "url": f"{hosts_url}?agent=silent",
            "state": "danger" if silent else "ok",
        },
    ]
    if figures["waiting"]:
        tiles.append(
            {
                "label": _("Agents to let in"),
                "value": figures["waiting"],
                "url": f"{reverse('cmdb:agent_list')}?state=waiting",
                "state": "warning",
            }
        )
    return tiles + [
        {
            "label": status.name,
            "value": count,
            "url": f"{hosts_url}?status={status.pk}",
            "state": status.state if status.state in {"warning", "danger"} else "",
        }
        for status, count in figures["by_status"]
    ]
